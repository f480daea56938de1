import type { CostRows } from './costRows.ts';

/** Assigns free rows along shortest paths in the graph of reduced costs, and updates the potentials. */
export class AugmentingPaths {
  readonly size: number;
  readonly #row: (index: number) => Float64Array;
  readonly #potential: Float64Array;
  readonly #columns: Int32Array;
  readonly #rowOf: Int32Array;
  /** The length of the shortest path found so far to each column. */
  readonly #distance: Float64Array;
  /** The row before each column on that path. */
  readonly #before: Int32Array;
  /** Columns in three parts: finished ones, those at the smallest distance found (up to `#seen`), and the others. */
  readonly #order: Int32Array;
  #start = 0;
  #done = 0;
  #seen = 0;
  /** Number of finished columns that are nearer than the smallest distance. */
  #closed = 0;
  #least = 0;
  /** The free column at which the path ends; −1 until one is reached. */
  #end = -1;

  /** Updates potentials and both sides of the assignment in place; −1 means unassigned. */
  constructor({ size, row }: CostRows, potential: Float64Array, columns: Int32Array, rowOf: Int32Array) {
    this.size = size;
    this.#row = row;
    this.#potential = potential;
    this.#columns = columns;
    this.#rowOf = rowOf;
    this.#distance = new Float64Array(size);
    this.#before = new Int32Array(size);
    this.#order = new Int32Array(size);
  }

  /** Starts a path at a free row. */
  begin(start: number): void {
    const [size, distance, before, order, potential] = [
      this.size,
      this.#distance,
      this.#before,
      this.#order,
      this.#potential,
    ];
    const first = this.#row(start);
    for (let j = 0; j < size; j++) {
      distance[j] = first[j] - potential[j];
      before[j] = start;
      order[j] = j;
    }
    this.#start = start;
    [this.#done, this.#seen, this.#closed, this.#least, this.#end] = [0, 0, 0, 0, -1];
  }

  /** Searches at most `most` rows. Returns whether the path has reached a free column. */
  search(most: number): boolean {
    for (let rows = 0; rows < most && this.#end < 0; rows++) {
      if (this.#done === this.#seen) this.#findNearest();
      if (this.#end < 0) this.#lookThrough(this.#order[this.#done++]);
    }
    return this.#end >= 0;
  }

  /** Moves the unfinished columns at the smallest distance to directly after the finished ones. */
  #findNearest(): void {
    const [size, distance, order, rowOf] = [this.size, this.#distance, this.#order, this.#rowOf];
    const done = this.#done;
    let seen = done;
    let least = distance[order[seen++]];
    for (let k = seen; k < size; k++) {
      const j = order[k];
      if (distance[j] > least) continue;
      if (distance[j] < least) {
        least = distance[j];
        seen = done;
      }
      order[k] = order[seen];
      order[seen++] = j;
    }
    [this.#closed, this.#least, this.#seen] = [done, least, seen];
    for (let k = done; k < seen; k++) {
      if (rowOf[order[k]] >= 0) continue;
      this.#end = order[k];
      return;
    }
  }

  /** Updates the paths that are shorter through a column's row. */
  #lookThrough(column: number): void {
    const [size, distance, before, order] = [this.size, this.#distance, this.#before, this.#order];
    const [potential, rowOf, least] = [this.#potential, this.#rowOf, this.#least];
    const i = rowOf[column];
    const cost = this.#row(i);
    const offset = cost[column] - potential[column] - least;
    let seen = this.#seen;
    for (let k = seen; k < size; k++) {
      const j = order[k];
      const through = cost[j] - potential[j] - offset;
      if (through >= distance[j]) continue;
      distance[j] = through;
      before[j] = i;
      if (through > least) continue;
      if (rowOf[j] < 0) {
        this.#end = j;
        break;
      }
      order[k] = order[seen];
      order[seen++] = j;
    }
    this.#seen = seen;
  }

  /** Assigns each row on the path to the column after it. */
  assign(): void {
    const [potential, distance, order, before] = [this.#potential, this.#distance, this.#order, this.#before];
    for (let k = 0; k < this.#closed; k++) potential[order[k]] += distance[order[k]] - this.#least;
    let end = this.#end;
    for (let i = -1; i !== this.#start;) {
      i = before[end];
      this.#rowOf[end] = i;
      [this.#columns[i], end] = [end, this.#columns[i]];
    }
  }
}
