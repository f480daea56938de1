import type { Stepwise } from '@flow-matching/tensor';
import type { CostRows } from './costRows.ts';
import { inStretches, rowsPerStretch } from './stretches.ts';

export interface Auction {
  readonly columnPotentials: Float64Array;
  /** There is a permutation whose reduced costs exceed the smallest of their row by at most this. Infinity if there was no auction. */
  readonly increment: number;
}

/**
 * First and last increment of the auction, relative to the mean excess of costs over the smallest of their row, and the factor
 * by which increments fall.
 */
const [firstIncrement, lastIncrement, decay] = [0.25, 1e-4, 6];
/** Smallest increment relative to the costs' magnitude: smaller ones would be lost in rounding, and bidding would never end. */
const resolution = 2 ** -36;

/**
 * Column potentials near those of the optimal assignment, by bidding with falling increments (Bertsekas 1988, "The auction
 * algorithm"): down to `enough`, or as fine as is worthwhile. Zeros if the costs are too similar for an auction.
 */
export function* auction(costs: CostRows, enough = 0): Stepwise<Auction> {
  const { size } = costs;
  const columnPotentials = new Float64Array(size);
  const { excess, magnitude } = yield* measure(costs);
  const first = firstIncrement * excess;
  const finest = Math.max(lastIncrement * excess, resolution * magnitude);
  if (!(finest > 0 && finest <= first)) return { columnPotentials, increment: Infinity };
  const last = Math.min(Math.max(enough, finest), first);
  const bidding = new Bidding(costs, columnPotentials);
  const bids = rowsPerStretch(size);
  for (let increment = first; increment >= last; increment = nextIncrement(increment, last)) {
    bidding.begin();
    while (bidding.bid(increment, bids)) yield;
  }
  return { columnPotentials, increment: last };
}

/** 0 after the last one. */
const nextIncrement = (increment: number, last: number): number =>
  increment > last ? Math.max(increment / decay, last) : 0;

/** The mean excess of costs over the smallest of their row, and the largest absolute cost. */
function* measure({ size, row }: CostRows): Stepwise<{ excess: number; magnitude: number }> {
  let [excess, magnitude] = [0, 0];
  yield* inStretches(size, size, (first, end) => {
    for (let i = first; i < end; i++) {
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
  });
  return { excess, magnitude };
}

/** Rows that bid for columns until each has one. */
class Bidding {
  readonly #costs: CostRows;
  readonly #potential: Float64Array;
  readonly #rowOf: Int32Array;
  /** A stack of the rows without a column. */
  readonly #waiting: Int32Array;
  #top = 0;
  readonly #best = new Bid();

  constructor(costs: CostRows, potential: Float64Array) {
    this.#costs = costs;
    this.#potential = potential;
    this.#rowOf = new Int32Array(costs.size);
    this.#waiting = new Int32Array(costs.size);
  }

  /** Unassigns all rows. */
  begin(): void {
    const waiting = this.#waiting;
    this.#rowOf.fill(-1);
    for (let i = 0; i < waiting.length; i++) waiting[i] = i;
    this.#top = waiting.length;
  }

  /** Makes at most `most` bids. Returns whether any row is still waiting. */
  bid(increment: number, most: number): boolean {
    const [costs, potential, rowOf, waiting, best] = [
      this.#costs,
      this.#potential,
      this.#rowOf,
      this.#waiting,
      this.#best,
    ];
    let top = this.#top;
    for (let bids = 0; bids < most && top > 0; bids++) {
      const i = waiting[--top];
      best.search(costs.row(i), potential);
      potential[best.column] -= best.margin + increment;
      const displaced = rowOf[best.column];
      rowOf[best.column] = i;
      if (displaced >= 0) waiting[top++] = displaced;
    }
    this.#top = top;
    return top > 0;
  }
}

/**
 * A row's best column, and the margin to the second best. Results are fields: this runs millions of times, and allocating an
 * object each time would cost more than the search.
 */
class Bid {
  column = 0;
  margin = 0;

  search(cost: Float64Array, potential: Float64Array): void {
    const size = cost.length;
    const whole = size - (size % 4);
    let [least, second, best] = [Infinity, Infinity, 0];
    for (let from = 0; from < size; from += 4) {
      // Four columns rarely contain a better one, and one test rules out all of them.
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
