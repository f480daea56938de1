/** A square cost matrix by rows. A row is only read until the next one is asked for, so it may be made on the fly in one buffer. */
export interface CostRows {
  readonly size: number;
  readonly row: (index: number) => Float64Array;
}
