/** A square cost matrix by rows. A row is only valid until the next one is requested, so it may be computed in a shared buffer. */
export interface CostRows {
  readonly size: number;
  readonly row: (index: number) => Float64Array;
}
