import type { Stepwise } from '@flow-matching/tensor';
import { auction } from './auction.ts';
import type { CostRows } from './costRows.ts';
import { endsStretch } from './endsStretch.ts';

export interface Assignment {
  /** The column of each row: a permutation. */
  readonly columns: Int32Array;
  /** Potentials with rowPotentials[i] + columnPotentials[j] ≤ cost[i][j], equal on assigned pairs: the proof that no permutation costs less. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  /** Sum of the assigned costs. */
  readonly cost: number;
}

/**
 * The permutation with the lowest total cost, for finite costs. An auction with falling increments (Bertsekas 1988, "The
 * auction algorithm") brings the potentials near their optimum; shortest augmenting paths (Jonker & Volgenant 1987, "A shortest
 * augmenting path algorithm for dense and sparse linear assignment problems") then assign every row exactly. The auction
 * matters for points in the plane: there Jonker and Volgenant's own initialization leaves most rows to long paths, which took
 * twenty times as long.
 *
 * Pauses every few thousand costs. Exact up to the rounding of f64; deterministic, so equal costs give equal results.
 */
export function* linearAssignment(costs: CostRows): Stepwise<Assignment> {
  const { size } = costs;
  const { columnPotentials } = yield* auction(costs);
  const columns = new Int32Array(size).fill(-1);
  const rowOf = new Int32Array(size).fill(-1);
  const free = yield* assignBest(costs, columnPotentials, columns, rowOf);
  yield* augment(costs, columnPotentials, columns, rowOf, free);
  const rowPotentials = new Float64Array(size);
  let cost = 0;
  for (let i = 0; i < size; i++) {
    const own = costs.row(i)[columns[i]];
    rowPotentials[i] = own - columnPotentials[columns[i]];
    cost += own;
    if (endsStretch(i, size)) yield;
  }
  return { columns, rowPotentials, columnPotentials, cost };
}

/** Gives each row the column with the lowest reduced cost if no earlier row took it; returns the rows without one. */
function* assignBest(
  { size, row }: CostRows,
  potential: Float64Array,
  columns: Int32Array,
  rowOf: Int32Array,
): Stepwise<number[]> {
  const free: number[] = [];
  for (let i = 0; i < size; i++) {
    const cost = row(i);
    let [least, best] = [Infinity, 0];
    for (let j = 0; j < size; j++) {
      const reduced = cost[j] - potential[j];
      if (reduced >= least) continue;
      least = reduced;
      best = j;
    }
    if (rowOf[best] < 0) {
      rowOf[best] = i;
      columns[i] = best;
    } else free.push(i);
    if (endsStretch(i, size)) yield;
  }
  return free;
}

/** Assigns each free row along a shortest path in the graph of reduced costs, and updates the potentials. */
function* augment(
  { size, row }: CostRows,
  potential: Float64Array,
  columns: Int32Array,
  rowOf: Int32Array,
  free: readonly number[],
): Stepwise<void> {
  const distance = new Float64Array(size);
  const before = new Int32Array(size);
  // Columns in three parts: finished ones, those at the smallest distance found (up to `seen`), and the others.
  const order = new Int32Array(size);
  let looked = 0;
  for (const start of free) {
    const first = row(start);
    for (let j = 0; j < size; j++) {
      distance[j] = first[j] - potential[j];
      before[j] = start;
      order[j] = j;
    }
    let [done, seen, closed, least, end] = [0, 0, 0, 0, -1];
    while (end < 0) {
      if (done === seen) {
        closed = done;
        least = distance[order[seen++]];
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
        for (let k = done; k < seen && end < 0; k++) if (rowOf[order[k]] < 0) end = order[k];
        if (end >= 0) break;
      }
      const column = order[done++];
      const i = rowOf[column];
      if (endsStretch(looked++, size)) yield;
      const cost = row(i);
      const offset = cost[column] - potential[column] - least;
      for (let k = seen; k < size; k++) {
        const j = order[k];
        const through = cost[j] - potential[j] - offset;
        if (through >= distance[j]) continue;
        distance[j] = through;
        before[j] = i;
        if (through > least) continue;
        if (rowOf[j] < 0) {
          end = j;
          break;
        }
        order[k] = order[seen];
        order[seen++] = j;
      }
    }
    if (endsStretch(looked++, size)) yield;
    for (let k = 0; k < closed; k++) potential[order[k]] += distance[order[k]] - least;
    for (let i = -1; i !== start;) {
      i = before[end];
      rowOf[end] = i;
      [columns[i], end] = [end, columns[i]];
    }
  }
}
