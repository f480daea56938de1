/** A square cost matrix by rows. A row is only read until the next one is asked for, so it may be made on the fly in one buffer. */
export interface CostRows {
  readonly size: number;
  row(index: number): Float64Array;
}

export interface Assignment {
  /** For each row its column: a permutation. */
  readonly columns: Int32Array;
  /** Potentials with rowPotential[i] + columnPotential[j] ≤ cost[i][j], equal on assigned pairs: the proof that the cost is least. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  /** Sum of the assigned costs. */
  readonly cost: number;
}

/**
 * The permutation of least total cost: the algorithm of Jonker & Volgenant 1987, "A shortest augmenting path algorithm for dense
 * and sparse linear assignment problems". Column reduction, reduction transfer and two rounds of augmenting row reduction assign
 * most rows; shortest augmenting paths assign the rest. O(n³) at worst. Equal costs give equal results: nothing is drawn.
 *
 * Costs must be finite: see {@link checkCosts}.
 */
export function linearAssignment(costs: CostRows): Assignment {
  const state = reduceColumns(costs);
  let free = transferReduction(costs, state);
  for (let round = 0; round < 2 && free.length > 0; round++) free = reduceAugmentingRows(costs, state, free);
  augment(costs, state, free);
  return assignmentOf(costs, state);
}

/** Partial assignment and column potentials; −1 stands for none. */
interface State {
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
  readonly potential: Float64Array;
  /** Columns whose least cost each row has. */
  readonly wins: Int32Array;
}

function reduceColumns({ size, row }: CostRows): State {
  const potential = new Float64Array(size).fill(Infinity);
  const cheapest = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const cost = row(i);
    for (let j = 0; j < size; j++) {
      if (cost[j] < potential[j]) {
        potential[j] = cost[j];
        cheapest[j] = i;
      }
    }
  }
  const columnOf = new Int32Array(size).fill(-1);
  const rowOf = new Int32Array(size).fill(-1);
  const wins = new Int32Array(size);
  for (let j = size - 1; j >= 0; j--) {
    const i = cheapest[j];
    if (wins[i]++ > 0) continue;
    columnOf[i] = j;
    rowOf[j] = i;
  }
  return { columnOf, rowOf, potential, wins };
}

/** Lowers the potential of columns whose row has no other, by what that row can spare. Returns the rows without a column. */
function transferReduction({ size, row }: CostRows, { columnOf, potential, wins }: State): Int32Array {
  const free = new Int32Array(size);
  let count = 0;
  for (let i = 0; i < size; i++) {
    if (wins[i] === 0) free[count++] = i;
    if (wins[i] !== 1) continue;
    const own = columnOf[i];
    const cost = row(i);
    let spare = Infinity;
    for (let j = 0; j < size; j++) {
      const reduced = cost[j] - potential[j];
      if (reduced < spare && j !== own) spare = reduced;
    }
    if (spare < Infinity) potential[own] -= spare;
  }
  return free.subarray(0, count);
}

/** Each free row takes its best column, whose former row tries again at once where that strictly lowers a potential. */
function reduceAugmentingRows({ size, row }: CostRows, { columnOf, rowOf, potential }: State, free: Int32Array): Int32Array {
  const queue = Int32Array.from(free);
  const still = new Int32Array(free.length);
  let count = 0;
  // Potentials of rounded costs may fall by ever smaller steps: the rest is left to the augmenting paths.
  let budget = 8 * size;
  for (let k = 0; k < queue.length; ) {
    const i = queue[k++];
    const cost = row(i);
    let [least, second] = [Infinity, Infinity];
    let [best, next] = [-1, -1];
    for (let j = 0; j < size; j++) {
      const reduced = cost[j] - potential[j];
      if (reduced >= second) continue;
      if (reduced >= least) {
        second = reduced;
        next = j;
      } else {
        second = least;
        next = best;
        least = reduced;
        best = j;
      }
    }
    const lowered = potential[best] - (second - least);
    const lowers = second < Infinity && lowered < potential[best];
    let column = best;
    let displaced = rowOf[best];
    if (lowers) potential[best] = lowered;
    else if (displaced >= 0 && next >= 0) {
      column = next;
      displaced = rowOf[next];
    }
    columnOf[i] = column;
    rowOf[column] = i;
    if (displaced < 0) continue;
    columnOf[displaced] = -1;
    if (lowers && budget-- > 0) queue[--k] = displaced;
    else still[count++] = displaced;
  }
  return still.subarray(0, count);
}

/** Assigns the remaining rows by shortest paths in the graph of reduced costs. */
function augment({ size, row }: CostRows, { columnOf, rowOf, potential }: State, free: Int32Array): void {
  const distance = new Float64Array(size);
  const before = new Int32Array(size);
  /** Columns: those done up to `done`, those at the least distance up to `seen`, the others. */
  const order = new Int32Array(size);
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
    for (let k = 0; k < closed; k++) potential[order[k]] += distance[order[k]] - least;
    for (let i = -1; i !== start; ) {
      i = before[end];
      rowOf[end] = i;
      [columnOf[i], end] = [end, columnOf[i]];
    }
  }
}

function assignmentOf({ size, row }: CostRows, { columnOf, potential }: State): Assignment {
  const rowPotentials = new Float64Array(size);
  let total = 0;
  for (let i = 0; i < size; i++) {
    const cost = row(i)[columnOf[i]];
    rowPotentials[i] = cost - potential[columnOf[i]];
    total += cost;
  }
  return { columns: columnOf, rowPotentials, columnPotentials: potential, cost: total };
}
