import type { Stepwise } from '@flow-matching/tensor';
import { digits, sure } from './probabilityUnit.ts';
import { inStretches } from './stretches.ts';

/**
 * Rounds a plan [size, size] in units of 2⁻²⁴, in place, to pairs that are sure (2²⁴) or excluded (0), one binary digit at a
 * time (Doerr 2006, "Generating randomized roundings with cardinality constraints and derandomizations"). Each row and column
 * has an even number of pairs whose last digit is 1, so these form cycles; along a cycle every second pair gains the digit and
 * the others lose it, or vice versa, with equal probability. This clears the digit and keeps sums and expectations.
 *
 * Rows and columns sum to at most 2²⁴; one with a smaller sum ends without a sure pair with the missing probability.
 */
export function* settleDigits(size: number, weights: Int32Array, uniform: () => number): Stepwise<void> {
  const pairs = new Pairs(size, yield* countUndecided(size, weights));
  yield* pairs.collect(weights);
  const coin = coins(uniform);
  for (let digit = 1; digit < sure; digit *= 2) {
    pairs.clear(digit, coin);
    yield;
  }
  pairs.writeTo(weights);
}

/** True and false with equal probability, 24 from one uniform. */
function coins(uniform: () => number): () => boolean {
  let [word, left] = [0, 0];
  return () => {
    if (left === 0) [word, left] = [uniform() * sure, digits];
    const heads = (word & 1) === 1;
    word >>= 1;
    left--;
    return heads;
  };
}

/** The undecided pairs, row by row. An extra row and an extra column hold what the others lack, so that every sum is a multiple of 2²⁴. */
class Pairs {
  readonly #size: number;
  #count = 0;
  readonly #row: Int32Array;
  readonly #column: Int32Array;
  readonly #weight: Int32Array;
  /** The pairs with the current digit. Those at 2k and 2k + 1 share a row. */
  readonly #chosen: Int32Array;
  /** For each of these, another one in its column; −1 once it is resolved. */
  readonly #partner: Int32Array;
  /** For each column, the pair that waits for a partner; −1 if there is none. */
  readonly #waiting: Int32Array;

  constructor(size: number, undecided: number) {
    const most = undecided + 2 * size + 1;
    this.#size = size;
    this.#row = new Int32Array(most);
    this.#column = new Int32Array(most);
    this.#weight = new Int32Array(most);
    this.#chosen = new Int32Array(most);
    this.#partner = new Int32Array(most);
    this.#waiting = new Int32Array(size + 1).fill(-1);
  }

  *collect(weights: Int32Array): Stepwise<void> {
    const size = this.#size;
    const missing = new Int32Array(size).fill(sure);
    let missed = 0;
    yield* inStretches(size, size, (first, end) => {
      for (let i = first; i < end; i++) {
        let rest = sure;
        for (let j = 0; j < size; j++) {
          const weight = weights[i * size + j];
          if (weight === 0) continue;
          rest -= weight;
          missing[j] -= weight;
          if (weight < sure) this.#add(i, j, weight);
        }
        this.#add(i, size, rest);
        missed += rest;
      }
    });
    for (let j = 0; j < size; j++) this.#add(size, j, missing[j]);
    // The last row and the last column lack the same amount; only digits below 2²⁴ matter.
    this.#add(size, size, -missed & (sure - 1));
  }

  #add(row: number, column: number, weight: number): void {
    this.#row[this.#count] = row;
    this.#column[this.#count] = column;
    this.#weight[this.#count++] = weight;
  }

  /** Turns weights that are multiples of `digit` into multiples of 2·`digit`. */
  clear(digit: number, coin: () => boolean): void {
    const [weight, chosen, partner] = [this.#weight, this.#chosen, this.#partner];
    const count = this.#choose(digit);
    for (let start = 0; start < count; start++) {
      if (partner[start] < 0) continue;
      const step = coin() ? digit : -digit;
      for (let at = start; partner[at] >= 0;) {
        const beside = at ^ 1;
        weight[chosen[at]] += step;
        weight[chosen[beside]] -= step;
        partner[at] = -1;
        [at, partner[beside]] = [partner[beside], -1];
      }
    }
  }

  /** Collects the pairs with the digit, matched two by two within columns; returns their number. */
  #choose(digit: number): number {
    const [column, weight, partner, waiting] = [this.#column, this.#weight, this.#partner, this.#waiting];
    let count = 0;
    for (let pair = 0; pair < this.#count; pair++) {
      if ((weight[pair] & digit) === 0) continue;
      const other = waiting[column[pair]];
      waiting[column[pair]] = other < 0 ? count : -1;
      if (other >= 0) {
        partner[other] = count;
        partner[count] = other;
      }
      this.#chosen[count++] = pair;
    }
    return count;
  }

  writeTo(weights: Int32Array): void {
    const size = this.#size;
    for (let pair = 0; pair < this.#count; pair++) {
      const [row, column] = [this.#row[pair], this.#column[pair]];
      if (row < size && column < size) weights[row * size + column] = this.#weight[pair];
    }
  }
}

function* countUndecided(size: number, weights: Int32Array): Stepwise<number> {
  let total = 0;
  yield* inStretches(size, size, (first, end) => {
    let count = 0;
    for (let pair = first * size; pair < end * size; pair++) if (weights[pair] > 0 && weights[pair] < sure) count++;
    total += count;
  });
  return total;
}
