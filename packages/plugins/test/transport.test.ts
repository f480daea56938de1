import { NumericalError } from '@flow-matching/core';
import { finishNow, HostRandomStream, hostArray, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import fc from 'fast-check';
import { drawPermutation } from '../src/transport/drawPermutation.ts';
import { entropicPlan } from '../src/transport/entropicPlan.ts';
import type { CostRows } from '../src/transport/costRows.ts';
import { linearAssignment, type Assignment } from '../src/transport/linearAssignment.ts';
import { nearestPermutation } from '../src/transport/nearestPermutation.ts';
import { denseCosts, squaredDistances } from '../src/transport/squaredDistances.ts';
import { expectClose } from './support/expectClose.ts';

const costsOf = (rows: readonly (readonly number[])[]): CostRows =>
  denseCosts(rows.length, (i, row) => row.set(rows[i]));

function expectPermutation(columns: Int32Array): void {
  expect(Array.from(columns).toSorted((a, b) => a - b)).to.deep.equal(Array.from(columns.keys()));
}

/** Weak duality: feasible potentials whose sum is the cost prove that no permutation costs less. */
function expectOptimal({ size, row }: CostRows, { columns, rowPotentials, columnPotentials, cost }: Assignment): void {
  expectPermutation(columns);
  let [bound, total, scale] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    const costs = row(i);
    bound += rowPotentials[i] + columnPotentials[i];
    total += costs[columns[i]];
    for (let j = 0; j < size; j++) scale = Math.max(scale, Math.abs(costs[j]));
  }
  let slack = 0;
  for (let i = 0; i < size; i++) {
    const costs = row(i);
    for (let j = 0; j < size; j++) slack = Math.min(slack, costs[j] - rowPotentials[i] - columnPotentials[j]);
  }
  expect(-slack, 'infeasibility').at.most(1e-12 * scale);
  expectClose([cost / (scale * size || 1)], [total / (scale * size || 1)], 1e-14, 'cost');
  expectClose([bound / (scale * size || 1)], [total / (scale * size || 1)], 1e-14, 'bound');
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => rest.toSpliced(at, 0, count - 1)),
  );
}
const leastCost = (rows: readonly (readonly number[])[]): number =>
  Math.min(...permutations(rows.length).map((columns) => columns.reduce((sum, j, i) => sum + rows[i][j], 0)));

const square = (value: fc.Arbitrary<number>, largest: number): fc.Arbitrary<number[][]> =>
  fc
    .integer({ min: 1, max: largest })
    .chain((size) =>
      fc.array(fc.array(value, { minLength: size, maxLength: size }), { minLength: size, maxLength: size }),
    );

/** Eight clusters on a circle, or a circle. */
function plane(kind: 'normal' | 'clusters' | 'circle', count: number, seed: number): HostArray {
  const random = new HostRandomStream(seed);
  const data = random.normal([count, 2], kind === 'normal' ? 1 : 0.5).data;
  const u = random.uniform([count]).data;
  for (let i = 0; kind !== 'normal' && i < count; i++) {
    const angle = kind === 'circle' ? 2 * Math.PI * u[i] : (Math.PI / 4) * Math.floor(8 * u[i]);
    data[2 * i] = 5 * Math.cos(angle) + (kind === 'circle' ? 0 : data[2 * i]);
    data[2 * i + 1] = 5 * Math.sin(angle) + (kind === 'circle' ? 0 : data[2 * i + 1]);
  }
  return hostArray(data, [count, 2]);
}

describe('linearAssignment', () => {
  it('finds what brute force finds', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.double({ min: -100, max: 100, noNaN: true }));
    fc.assert(
      fc.property(square(value, 7), (rows) => {
        const costs = costsOf(rows);
        const found = finishNow(linearAssignment(costs));
        expectOptimal(costs, found);
        expectClose([found.cost], [leastCost(rows)], 1e-12, 'cost');
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it('proves itself optimal on larger matrices, with ties, offsets and wide ranges', () => {
    const kinds = [
      fc.integer({ min: 0, max: 3 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1e9, max: 1e9 + 1, noNaN: true }),
      fc.oneof(
        { weight: 9, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
        { weight: 1, arbitrary: fc.constant(1e6) },
      ),
    ];
    for (const value of kinds) {
      fc.assert(
        fc.property(square(value, 24), (rows) => {
          const costs = costsOf(rows);
          expectOptimal(costs, finishNow(linearAssignment(costs)));
        }),
        { numRuns: 30, seed: 2 },
      );
    }
  });

  it('has the published optimum of known matrices', () => {
    const known: [number, number[][]][] = [
      [
        5,
        [
          [4, 1, 3],
          [2, 0, 5],
          [3, 2, 2],
        ],
      ],
      // The test matrix of the lapjv implementations: infeasible pairs at 1000.
      [
        17,
        [
          [1000, 2, 11, 10, 8, 7, 6, 5],
          [6, 1000, 1, 8, 8, 4, 6, 7],
          [5, 12, 1000, 11, 8, 12, 3, 11],
          [11, 9, 10, 1000, 1, 9, 8, 10],
          [11, 11, 9, 4, 1000, 2, 10, 9],
          [12, 8, 5, 2, 11, 1000, 11, 9],
          [10, 11, 12, 10, 9, 12, 1000, 3],
          [10, 10, 10, 10, 6, 3, 1, 1000],
        ],
      ],
    ];
    for (const [cost, rows] of known) expect(finishNow(linearAssignment(costsOf(rows))).cost).to.equal(cost);
  });

  it('solves Machol and Wien’s matrices i·j, of which n(n + 1)(n + 2)/6 is the optimum', () => {
    for (const size of [1, 2, 50, 200]) {
      const costs = denseCosts(size, (i, row) => row.forEach((_, j) => (row[j] = (i + 1) * (j + 1))));
      expect(finishNow(linearAssignment(costs)).cost).to.equal((size * (size + 1) * (size + 2)) / 6);
    }
  });

  it('matches points of a line in their order', () => {
    const random = new HostRandomStream(3);
    const [x, y] = [random.normal([400, 1]), random.normal([400, 1], 2)];
    const sorted = (values: HostArray): Float64Array => Float64Array.from(values.data).toSorted();
    const [a, b] = [sorted(x), sorted(y)];
    const expected = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
    expectClose([finishNow(linearAssignment(squaredDistances(x, y))).cost], [expected], 1e-12);
  });

  it('stays exact on clustered points of the plane, also where rows are computed on the fly', () => {
    for (const [from, to] of [
      ['normal', 'clusters'],
      ['circle', 'clusters'],
      ['normal', 'circle'],
    ] as const) {
      const costs = squaredDistances(plane(from, 300, 1), plane(to, 300, 2));
      const found = finishNow(linearAssignment(costs));
      expectOptimal(costs, found);
      const buffer = new Float64Array(300);
      const streamed: CostRows = {
        size: 300,
        row(index) {
          buffer.set(costs.row(index));
          return buffer;
        },
      };
      expect(finishNow(linearAssignment(streamed)).columns).to.deep.equal(found.columns);
    }
  });

  it('leaves equal points where they are, and takes all-equal costs', () => {
    const x = plane('normal', 64, 5);
    expect(finishNow(linearAssignment(squaredDistances(x, x))).columns).to.deep.equal(
      Int32Array.from({ length: 64 }, (_, i) => i),
    );
    expectPermutation(finishNow(linearAssignment(denseCosts(9, (_, row) => row.fill(3)))).columns);
  });
});

describe('squaredDistances', () => {
  it('are those of a plain double loop, in any dimension', () => {
    for (const event of [[1], [2], [5], [3, 2, 2]]) {
      const random = new HostRandomStream(0);
      const [x, y] = [random.normal([7, ...event]), random.normal([7, ...event])];
      const width = x.data.length / 7;
      const { row } = squaredDistances(x, y);
      for (let i = 0; i < 7; i++) {
        const expected = Array.from({ length: 7 }, (_, j) => {
          let sum = 0;
          for (let d = 0; d < width; d++) sum += (x.data[i * width + d] - y.data[j * width + d]) ** 2;
          return sum;
        });
        expectClose(row(i), expected, 1e-13);
      }
    }
  });

  it('refuse a point that is not finite', () => {
    const bad = hostArray([0, 1, 2, NaN, 4, 5], [3, 2]);
    expect(() => squaredDistances(bad, bad)).to.throw(NumericalError, /Point 1 .* NaN/);
  });
});

describe('entropicPlan', () => {
  const settings = { tolerance: 1e-10, maxIterations: 10_000 };

  it('has the closed form of two points a side', () => {
    // With marginals of 1 the plan is [[p, 1 − p], [1 − p, p]] and (p/(1 − p))² = exp((c01 + c10 − c00 − c11)/ε).
    const epsilon = 0.7;
    const rows = [
      [0.3, 2],
      [1, 0.9],
    ];
    const { probability } = finishNow(entropicPlan(costsOf(rows), { ...settings, epsilon }));
    const p = 1 / (1 + Math.exp(-(2 + 1 - 0.3 - 0.9) / (2 * epsilon)));
    expectClose(probability, [p, 1 - p, 1 - p, p], 1e-9);
  });

  it('balances, tends to the assignment for small ε and to independence for large', () => {
    const costs = squaredDistances(plane('normal', 40, 1), plane('clusters', 40, 2));
    for (const epsilon of [0.2, 1, 1e6]) {
      const { probability } = finishNow(entropicPlan(costs, { ...settings, epsilon }));
      for (let i = 0; i < 40; i++) {
        expectClose([probability.slice(40 * i, 40 * i + 40).reduce((a, b) => a + b)], [1], 1e-8, 'row sum');
        expectClose([probability.filter((_, at) => at % 40 === i).reduce((a, b) => a + b)], [1], 1e-8, 'column sum');
      }
      if (epsilon === 1e6)
        expectClose(
          probability,
          Array.from({ length: 1600 }, () => 1 / 40),
          1e-4,
        );
    }
    const { columns } = finishNow(linearAssignment(costs));
    const sharp = finishNow(entropicPlan(costs, { tolerance: 1e-3, maxIterations: 10_000, epsilon: 1e-3 }));
    columns.forEach((j, i) => expect(sharp.probability[40 * i + j], `pair ${i}`).above(0.5));
    expect(finishNow(nearestPermutation(sharp, costs))).to.deep.equal(columns);
  });

  it('equals that of an iteration in the log domain if most entries are tiny', () => {
    const size = 80;
    const epsilon = 0.1;
    const costs = squaredDistances(plane('normal', size, 1), plane('clusters', size, 2));
    const { probability } = finishNow(entropicPlan(costs, { ...settings, epsilon }));
    const logSum = (values: readonly number[]): number => {
      const most = Math.max(...values);
      return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
    };
    const indices = Array.from({ length: size }, (_, i) => i);
    let [f, g] = [indices.map(() => 0), indices.map(() => 0)];
    for (let iteration = 0; iteration < 3000; iteration++) {
      f = indices.map((i) => -logSum(indices.map((j) => g[j] - costs.row(i)[j] / epsilon)));
      g = indices.map((j) => -logSum(indices.map((i) => f[i] - costs.row(i)[j] / epsilon)));
    }
    const expected = indices.flatMap((i) => indices.map((j) => Math.exp(f[i] + g[j] - costs.row(i)[j] / epsilon)));
    expectClose(probability, expected, 1e-6);
  });

  it('is the assignment if ε is below the resolution of the costs', () => {
    const large = (points: HostArray): HostArray =>
      hostArray(
        Float64Array.from(points.data, (value) => 1e6 * value),
        points.shape,
      );
    const costs = squaredDistances(large(plane('normal', 60, 1)), large(plane('clusters', 60, 2)));
    const { columns } = finishNow(linearAssignment(costs));
    for (const sigma of [1e-3, 1e-4, 1e-6, 1e-150]) {
      const plan = finishNow(entropicPlan(costs, { tolerance: 1e-3, maxIterations: 10_000, epsilon: 2 * sigma ** 2 }));
      columns.forEach((j, i) => expect(plan.probability[60 * i + j], `pair ${i} at σ = ${sigma}`).above(0.9));
    }
  });

  it('is a typed error if it does not balance', () => {
    const costs = squaredDistances(plane('circle', 64, 1), plane('clusters', 64, 2));
    expect(() => finishNow(entropicPlan(costs, { epsilon: 0.01, tolerance: 1e-9, maxIterations: 3 }))).to.throw(
      NumericalError,
      /does not balance: after 3 iterations.*Raise maxIterations/,
    );
  });
});

describe('drawPermutation', () => {
  it('draws permutations', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0.05, max: 20, noNaN: true }),
        fc.nat(1000),
        (size, epsilon, seed) => {
          const costs = squaredDistances(plane('normal', size, seed), plane('clusters', size, seed + 1));
          const plan = finishNow(entropicPlan(costs, { epsilon, tolerance: 1e-2, maxIterations: 10_000 }));
          const uniforms = new HostRandomStream(seed).uniform([4096]).data;
          let next = 0;
          expectPermutation(finishNow(drawPermutation(plan, costs, () => uniforms[next++ % 4096])));
        },
      ),
      { numRuns: 40, seed: 3 },
    );
  });

  const frequencies = (size: number, draws: number): void => {
    const costs = squaredDistances(plane('normal', size, 1), plane('normal', size, 2));
    const plan = finishNow(entropicPlan(costs, { epsilon: 2, tolerance: 1e-12, maxIterations: 10_000 }));
    const seen = new Float64Array(size * size);
    const random = new HostRandomStream(4);
    let [block, next] = [random.uniform([65_536]).data, 0];
    const uniform = (): number => {
      if (next === block.length) [block, next] = [random.uniform([65_536]).data, 0];
      return block[next++];
    };
    for (let n = 0; n < draws; n++)
      finishNow(drawPermutation(plan, costs, uniform)).forEach((j, i) => seen[size * i + j]++);
    plan.probability.forEach((p, at) => {
      const deviation = (seen[at] / draws - p) / Math.sqrt((p * (1 - p)) / draws);
      // Of pairs that are hardly ever drawn the deviation is not normal.
      if (p * draws > 5) expect(Math.abs(deviation), `pair ${at}, p = ${p}`).below(4.5);
      else expect(seen[at], `pair ${at}, p = ${p}`).below(20);
    });
  };

  it('draws each pair as often as the plan says', () => {
    frequencies(6, 4000);
    frequencies(40, 2000);
  });
});
