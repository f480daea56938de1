/** A square cost matrix by rows. A row is only read until the next one is asked for, so it may be made on the fly in one buffer. */
export interface CostRows {
  readonly size: number;
  readonly row: (index: number) => Float64Array;
}

export interface Assignment {
  /** For each row its column: a permutation. */
  readonly columns: Int32Array;
  /** Potentials with rowPotentials[i] + columnPotentials[j] ≤ cost[i][j], equal on assigned pairs: the proof that no permutation costs less. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  /** Sum of the assigned costs. */
  readonly cost: number;
}

/**
 * The permutation of least total cost, for finite costs. An auction with falling increments (Bertsekas 1988, "The auction
 * algorithm") brings the potentials near their optimum; shortest augmenting paths (Jonker & Volgenant 1987, "A shortest augmenting
 * path algorithm for dense and sparse linear assignment problems") then assign every row exactly. Points in the plane need it:
 * there Jonker and Volgenant's own initialization leaves most rows to long paths, which took twenty times as long.
 *
 * Exact up to the rounding of f64; nothing is drawn, so equal costs give equal results.
 */
export function linearAssignment(costs: CostRows): Assignment {
  const { size } = costs;
  const columnPotentials = auctionPotentials(costs);
  const columns = new Int32Array(size).fill(-1);
  const rowOf = new Int32Array(size).fill(-1);
  const free = assignBest(costs, columnPotentials, columns, rowOf);
  augment(costs, columnPotentials, columns, rowOf, free);
  const rowPotentials = new Float64Array(size);
  let cost = 0;
  for (let i = 0; i < size; i++) {
    const own = costs.row(i)[columns[i]];
    rowPotentials[i] = own - columnPotentials[columns[i]];
    cost += own;
  }
  return { columns, rowPotentials, columnPotentials, cost };
}

/** Increments of the auction relative to the mean excess of costs over their row's least, and what each is divided by. */
const [firstIncrement, lastIncrement, decay] = [0.25, 1e-4, 6];
/** Increments stay this far above the costs' magnitude: smaller ones would be lost in rounding, and bidding would never end. */
const resolution = 2 ** -36;

/** Column potentials within the last increment of optimal ones; zeros where the costs are too much alike for an auction. */
function auctionPotentials(costs: CostRows): Float64Array {
  const { size } = costs;
  const potential = new Float64Array(size);
  const { excess, magnitude } = measure(costs);
  const last = Math.max(lastIncrement * excess, resolution * magnitude);
  if (!(last > 0)) return potential;
  const rowOf = new Int32Array(size);
  const waiting = new Int32Array(size);
  const bid = new Bid();
  for (let increment = firstIncrement * excess; increment >= last; increment = nextIncrement(increment, last)) {
    rowOf.fill(-1);
    for (let i = 0; i < size; i++) waiting[i] = i;
    for (let top = size; top > 0;) {
      const i = waiting[--top];
      bid.search(costs.row(i), potential);
      potential[bid.column] -= bid.margin + increment;
      const displaced = rowOf[bid.column];
      rowOf[bid.column] = i;
      if (displaced >= 0) waiting[top++] = displaced;
    }
  }
  return potential;
}

/** 0 after the last one. */
const nextIncrement = (increment: number, last: number): number =>
  increment > last ? Math.max(increment / decay, last) : 0;

/** The mean excess of costs over their row's least, and the largest absolute cost. */
function measure({ size, row }: CostRows): { excess: number; magnitude: number } {
  let [excess, magnitude] = [0, 0];
  for (let i = 0; i < size; i++) {
    const cost = row(i);
    let [sum, least, most] = [0, Infinity, -Infinity];
    for (let j = 0; j < size; j++) {
      sum += cost[j];
      if (cost[j] < least) least = cost[j];
      if (cost[j] > most) most = cost[j];
    }
    excess += (sum / size - least) / size;
    magnitude = Math.max(magnitude, -least, most);
  }
  return { excess, magnitude };
}

/**
 * A row's best column, and by how much the second best is worse. Results stay in fields: this runs millions of times, and an object
 * for each would cost more than the search.
 */
class Bid {
  column = 0;
  margin = 0;

  search(cost: Float64Array, potential: Float64Array): void {
    const size = cost.length;
    const whole = size - (size % 4);
    let [least, second, best] = [Infinity, Infinity, 0];
    for (let from = 0; from < size; from += 4) {
      // Four columns rarely hold a better one, and then one test rules out all of them.
      const worse =
        from < whole &&
        cost[from] - potential[from] >= second &&
        cost[from + 1] - potential[from + 1] >= second &&
        cost[from + 2] - potential[from + 2] >= second &&
        cost[from + 3] - potential[from + 3] >= second;
      if (worse) continue;
      const to = from < whole ? from + 4 : size;
      for (let j = from; j < to; j++) {
        const reduced = cost[j] - potential[j];
        if (reduced >= second) continue;
        if (reduced < least) {
          second = least;
          least = reduced;
          best = j;
        } else second = reduced;
      }
    }
    this.column = best;
    this.margin = second < Infinity ? second - least : 0;
  }
}

/** Gives each row the column of least reduced cost where no row before it took that; returns the rows without one. */
function assignBest(
  { size, row }: CostRows,
  potential: Float64Array,
  columns: Int32Array,
  rowOf: Int32Array,
): number[] {
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
  }
  return free;
}

/** Assigns each free row along a shortest path in the graph of reduced costs, and mends the potentials on the way. */
function augment(
  { size, row }: CostRows,
  potential: Float64Array,
  columns: Int32Array,
  rowOf: Int32Array,
  free: readonly number[],
): void {
  const distance = new Float64Array(size);
  const before = new Int32Array(size);
  // Columns in three parts: those done, those at the least distance found (up to `seen`), the others.
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
    for (let i = -1; i !== start;) {
      i = before[end];
      rowOf[end] = i;
      [columns[i], end] = [end, columns[i]];
    }
  }
}
