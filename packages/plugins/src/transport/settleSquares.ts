import type { Stepwise } from '@flow-matching/tensor';
import { sure } from './probabilityUnit.ts';
import { endsStretch } from './stretches.ts';

const undecided = (weight: number): boolean => weight > 0 && weight < sure;

/**
 * Resolves most pairs of a plan [size, size], in units of 2⁻²⁴: along cycles of two rows and two columns, probability moves
 * until one of the four pairs is sure or excluded, at random such that expectations are kept. Rows are processed in blocks,
 * within which a column keeps one or two undecided pairs, so O(size^1.5) pairs stay undecided. Takes O(size²) steps.
 */
export function* settleSquares(size: number, weights: Int32Array, uniform: () => number): Stepwise<void> {
  const height = Math.ceil(Math.sqrt(size));
  const block = new Block(size, height, weights, uniform);
  for (let first = 0; first < size; first += height) yield* block.settle(first, Math.min(first + height, size));
}

class Block {
  readonly #size: number;
  readonly #weights: Int32Array;
  readonly #uniform: () => number;
  /** For each column, the start of the row in which it is undecided; −1 if there is none yet. */
  readonly #holder: Int32Array;
  /** For each row of the block, the undecided column that it shares with the current row; −1 if there is none. */
  readonly #shared: Int32Array;

  constructor(size: number, height: number, weights: Int32Array, uniform: () => number) {
    this.#size = size;
    this.#weights = weights;
    this.#uniform = uniform;
    this.#holder = new Int32Array(size);
    this.#shared = new Int32Array(height);
  }

  *settle(first: number, end: number): Stepwise<void> {
    this.#holder.fill(-1);
    for (let row = first; row < end; row++) {
      this.#settleRow(first, row);
      if (endsStretch(row, this.#size)) yield;
    }
  }

  #settleRow(first: number, row: number): void {
    const [size, weights, holder, shared] = [this.#size, this.#weights, this.#holder, this.#shared];
    shared.fill(-1);
    for (let j = 0; j < size; j++) {
      if (!undecided(weights[row * size + j])) continue;
      const other = holder[j];
      if (other < 0) {
        holder[j] = row;
        continue;
      }
      const k = shared[other - first];
      shared[other - first] = k < 0 ? j : this.#settleSquare(row, other, k, j);
    }
  }

  /** Returns the column that is still undecided in both rows, or −1. */
  #settleSquare(row: number, other: number, k: number, j: number): number {
    const weights = this.#weights;
    const [a, b] = [row * this.#size, other * this.#size];
    const up = Math.min(sure - weights[a + k], weights[b + k], sure - weights[b + j], weights[a + j]);
    const down = Math.min(weights[a + k], sure - weights[b + k], weights[b + j], sure - weights[a + j]);
    const step = this.#uniform() * (up + down) < down ? up : -down;
    weights[a + k] += step;
    weights[b + k] -= step;
    weights[b + j] += step;
    weights[a + j] -= step;
    const [inK, inJ] = [this.#hold(k, row, other), this.#hold(j, row, other)];
    return inK ? k : inJ ? j : -1;
  }

  /** Records in which of two rows the column is undecided; true if in both. */
  #hold(column: number, row: number, other: number): boolean {
    const mine = undecided(this.#weights[row * this.#size + column]);
    const theirs = undecided(this.#weights[other * this.#size + column]);
    this.#holder[column] = theirs ? other : mine ? row : -1;
    return mine && theirs;
  }
}
