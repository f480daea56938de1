import type { Stepwise } from '@flow-matching/tensor';
import { auction } from './auction.ts';
import { AugmentingPaths } from './augmentingPaths.ts';
import type { CostRows } from './costRows.ts';
import { endsStretch, inStretches, rowsPerStretch } from './stretches.ts';

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
  yield* augment(new AugmentingPaths(costs, columnPotentials, columns, rowOf), free);
  const rowPotentials = new Float64Array(size);
  let cost = 0;
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
      const own = costs.row(i)[columns[i]];
      rowPotentials[i] = own - columnPotentials[columns[i]];
      cost += own;
    }
  });
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
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
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
    }
  });
  return free;
}

/** Assigns each free row along a shortest path in the graph of reduced costs. */
function* augment(paths: AugmentingPaths, free: readonly number[]): Stepwise<void> {
  const rows = rowsPerStretch(paths.size);
  for (const [n, start] of free.entries()) {
    paths.begin(start);
    while (!paths.search(rows)) yield;
    paths.assign();
    if (endsStretch(n, paths.size)) yield;
  }
}
