import type { EntropicPlan } from './entropicPlan.ts';
import { linearAssignment, type CostRows } from './linearAssignment.ts';
import { denseCosts } from './squaredDistances.ts';

/** Entries nearer than this to 0 or 1 count as such: far above the rounding of the sums, far below any draw. */
const rounding = 1e-9;

/**
 * Draws a permutation in which row i goes to column j with the plan's probability for that pair, exactly: dependent rounding
 * (Gandhi, Khuller, Parthasarathy & Srinivasan 2006, "Dependent rounding and its applications to approximation algorithms").
 * Along a cycle of pairs that are neither sure nor excluded, probability moves from every second pair to the others or back, at
 * odds that keep its expectation, until a pair of the cycle is decided; row and column sums never change.
 *
 * What a plan lacks in balance leaves a few rows and columns without a partner: they are joined at the least cost.
 *
 * @param uniform draws from [0, 1)
 * @returns for each row its column.
 */
export function drawPermutation(plan: EntropicPlan, costs: CostRows, uniform: () => number): Int32Array {
  const { size } = plan;
  const weights = withinBounds(plan);
  settleSquares(size, weights, uniform);
  const graph = new UndecidedPairs(size, weights);
  for (let start = 0; start < 2 * size; start++) {
    for (let walk = graph.walk(start); walk.length > 1; walk = graph.walk(start)) settle(graph, walk, uniform);
  }
  const columns = new Int32Array(size).fill(-1);
  for (let i = 0; i < size; i++)
    columns[i] = weights.subarray(i * size, (i + 1) * size).findIndex((weight) => weight > 0.5);
  joinRest(columns, costs);
  return columns;
}

/** The plan with rows and then columns that sum to more than 1 scaled down to it, so that no row or column is drawn twice. */
function withinBounds({ size, probability }: EntropicPlan): Float64Array {
  const weights = probability.slice();
  const sums = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = weights.subarray(i * size, (i + 1) * size);
    const total = row.reduce((sum, weight) => sum + weight, 0);
    for (let j = 0; j < size; j++) sums[j] += row[j] /= Math.max(1, total);
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) weights[i * size + j] /= Math.max(1, sums[j]);
  return weights;
}

const undecided = (weight: number): boolean => weight > rounding && weight < 1 - rounding;

/**
 * Settles cycles of two rows and two columns until any two rows have one undecided column in common at most. Few pairs are left then,
 * of the order of size^1.5, so that the search for longer cycles is short.
 */
function settleSquares(size: number, weights: Float64Array, uniform: () => number): void {
  const columnsOf: Int32Array[] = [];
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let k = 0; k < i; k++) {
      const other = k * size;
      let held = -1;
      for (const j of columnsOf[k]) {
        if (!undecided(weights[row + j]) || !undecided(weights[other + j])) continue;
        if (held >= 0) {
          settleSquare(weights, row + held, other + held, other + j, row + j, uniform);
          if (undecided(weights[row + held]) && undecided(weights[other + held])) continue;
        }
        held = undecided(weights[row + j]) && undecided(weights[other + j]) ? j : -1;
      }
    }
    columnsOf.push(
      Int32Array.from(weights.subarray(row, row + size).keys()).filter((j) => undecided(weights[row + j])),
    );
  }
}

function settleSquare(weights: Float64Array, a: number, b: number, c: number, d: number, uniform: () => number): void {
  const up = Math.min(1 - weights[a], weights[b], 1 - weights[c], weights[d]);
  const down = Math.min(weights[a], 1 - weights[b], weights[c], 1 - weights[d]);
  const step = uniform() * (up + down) < down ? up : -down;
  weights[a] += step;
  weights[b] -= step;
  weights[c] += step;
  weights[d] -= step;
}

/** Moves probability along a walk until one of its pairs is decided. Pairs alternate between gaining and losing. */
function settle(graph: UndecidedPairs, walk: readonly number[], uniform: () => number): void {
  const pairs = walk.slice(1).map((vertex, k) => graph.pair(walk[k], vertex));
  let [up, down] = [Infinity, Infinity];
  pairs.forEach((pair, k) => {
    const weight = graph.weights[pair];
    const [room, fall] = k % 2 === 0 ? [1 - weight, weight] : [weight, 1 - weight];
    up = Math.min(up, room);
    down = Math.min(down, fall);
  });
  const step = uniform() * (up + down) < down ? up : -down;
  pairs.forEach((pair, k) => (graph.weights[pair] += k % 2 === 0 ? step : -step));
}

/** The bipartite graph of pairs that are neither sure nor excluded. Rows are vertices 0 … size − 1, columns those from size on. */
class UndecidedPairs {
  readonly weights: Float64Array;
  readonly #size: number;
  /** Neighbours of each vertex; those that were decided meanwhile are dropped when met. */
  readonly #neighbours: number[][];
  readonly #place: Int32Array;

  constructor(size: number, weights: Float64Array) {
    this.weights = weights;
    this.#size = size;
    this.#place = new Int32Array(2 * size).fill(-1);
    this.#neighbours = Array.from({ length: 2 * size }, () => []);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        if (!undecided(weights[i * size + j])) continue;
        this.#neighbours[i].push(size + j);
        this.#neighbours[size + j].push(i);
      }
    }
  }

  /** The index of the pair that two neighbours form. */
  pair(a: number, b: number): number {
    return a < b ? a * this.#size + b - this.#size : b * this.#size + a - this.#size;
  }

  /** A cycle (its first vertex again at its end) that can be reached from `start`, else a path that goes on at neither end. */
  walk(start: number): number[] {
    const walk = this.#walkFrom(start);
    return walk.length > 1 && walk[0] !== walk.at(-1) ? this.#walkFrom(walk[walk.length - 1]) : walk;
  }

  #walkFrom(start: number): number[] {
    const walk = [start];
    this.#place[start] = 0;
    let from = -1;
    for (;;) {
      const at = walk[walk.length - 1];
      const next = this.#step(at, from);
      const met = next < 0 ? -1 : this.#place[next];
      if (next >= 0 && met < 0) {
        this.#place[next] = walk.length;
        walk.push(next);
        from = at;
        continue;
      }
      for (const vertex of walk) this.#place[vertex] = -1;
      return next < 0 ? walk : [...walk.slice(met), next];
    }
  }

  /** A neighbour of `at` other than `from`; −1 where there is none. */
  #step(at: number, from: number): number {
    const list = this.#neighbours[at];
    let skipped = false;
    while (list.length > 0) {
      const next = list[list.length - 1];
      if (!undecided(this.weights[this.pair(at, next)])) list.pop();
      else if (next !== from) return next;
      else if (skipped || list.length === 1) return -1;
      else {
        // The way back is put first, where it is met again only once everything else is gone.
        skipped = true;
        [list[0], list[list.length - 1]] = [next, list[0]];
      }
    }
    return -1;
  }
}

function joinRest(columns: Int32Array, costs: CostRows): void {
  const rows = Array.from(columns.keys()).filter((i) => columns[i] < 0);
  const taken = new Set(columns);
  const free = Array.from(columns.keys()).filter((j) => !taken.has(j));
  const rest = linearAssignment(
    denseCosts(rows.length, (a, row) => {
      const cost = costs.row(rows[a]);
      free.forEach((j, b) => (row[b] = cost[j]));
    }),
  );
  rows.forEach((i, a) => (columns[i] = free[rest.columns[a]]));
}
