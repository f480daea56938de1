import { type Path } from '@flow-matching/core';
import { constant, jvp, onesLike, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import {
  checkerboardDensity,
  gaussianMixture,
  optimalTransport,
  uniformSquares,
  type MarginalDensity,
} from '../src/index.ts';
import { erfcx } from '../src/densities/erfcx.ts';
import { gaussLegendre } from '../src/densities/gaussLegendre.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';
import { oracleCases, pathOf, type PathCase } from './support/oracles.ts';

interface MarginalPoint {
  readonly t: number;
  readonly x: number[];
  readonly logProb: number;
  readonly field: number[];
  readonly score?: number[];
}
interface MarginalCase extends PathCase {
  readonly points: MarginalPoint[];
}
interface MixtureCase extends MarginalCase {
  readonly weights: number[];
  readonly means: number[][];
  readonly stds: number[];
}

function check(density: MarginalDensity, oracle: MarginalCase, tolerance: number): void {
  const path = pathOf(oracle);
  const { points } = oracle;
  const got = evaluate(
    ({ t, x }) => ({
      logDensity: density.logDensity(path, t, x),
      field: density.field(path, t, x),
      score: density.score(path, t, x),
    }),
    { t: f64Input(points.map(({ t }) => t)), x: f64Input(points.map(({ x }) => x)) },
  );
  expectClose(
    got['logDensity'],
    points.map(({ logProb }) => logProb),
    tolerance,
    'log p_t',
  );
  expectClose(
    got['field'],
    points.flatMap(({ field }) => field),
    tolerance,
    'u_t',
  );
  if (points[0].score) {
    expectClose(
      got['score'],
      points.flatMap(({ score = [] }) => score),
      tolerance,
      'score',
    );
  }
}

/** The derivative of a formula along a direction. */
const along = (formula: (at: Tensor) => Tensor, at: Tensor, direction: Tensor): Tensor =>
  jvp((moving) => [formula(moving)], [at], [direction]).tangents[0];

/** ∂ log p/∂t + ∇·u + u·∇log p at each point, by forward mode: what the continuity equation (Theorem 1) says is 0. */
function continuityResiduals(
  density: MarginalDensity,
  path: Path,
  times: readonly number[],
  points: readonly (readonly number[])[],
): number[] {
  const { residual } = evaluate(
    ({ t, x }) => {
      const rate = along((time) => density.logDensity(path, time, x), t, onesLike(t));
      const axes = [0, 1].map((axis) => constant([[0, 1].map((i) => (i === axis ? 1 : 0))]));
      const divergence = axes.map((axis) =>
        along((point) => density.field(path, t, point), x, axis.expand(x.shape))
          .mul(axis)
          .sum(1),
      );
      const advection = along((point) => density.logDensity(path, t, point), x, density.field(path, t, x));
      return { residual: rate.add(divergence[0]).add(divergence[1]).add(advection) };
    },
    { t: f64Input(times), x: f64Input(points) },
  );
  return residual;
}

describe('marginal densities', () => {
  oracleCases<MixtureCase>('mixture-marginals').forEach((oracle, i) => {
    it(`of mixtures agree with oracle ${i}: ${oracle.path}, ${oracle.means.length} components`, () => {
      check(gaussianMixture(oracle), oracle, 1e-10);
    });
  });

  oracleCases<MarginalCase>('checkerboard-marginals').forEach((oracle, i) => {
    it(`of the checkerboard agree with oracle ${i}: ${oracle.path}`, () => {
      check(checkerboardDensity(), oracle, 1e-9);
    });
  });

  it('of the checkerboard obey the continuity equation, from the prior to the data', () => {
    const times = [0, 0.01, 0.2, 0.33, 0.34, 0.6, 0.9, 0.97];
    const points = [
      [0.3, -0.7],
      [1.1, 0.4],
    ];
    const path = optimalTransport({ sigmaMin: 1e-2 });
    const residuals = continuityResiduals(
      checkerboardDensity(),
      path,
      times.flatMap((t) => [t, t]),
      times.flatMap(() => points),
    );
    expectClose(
      residuals,
      residuals.map(() => 0),
      1e-9,
      'residual',
    );
  });

  it('of the checkerboard are the prior at t = 0 and the data at t = 1', () => {
    const density = checkerboardDensity();
    const path = optimalTransport();
    const x = [
      [1.5, -0.5],
      [-3.7, -3.7],
      [0.5, 0.5],
    ];
    const at = (t: number) =>
      evaluate(
        (given) => ({
          p: density.logDensity(path, given['t'], given['x']),
          u: density.field(path, given['t'], given['x']),
        }),
        { t: f64Input(x.map(() => t)), x: f64Input(x) },
      );
    const start = at(0);
    expectClose(
      start['p'],
      x.map(([a, b]) => -0.5 * (a * a + b * b) - Math.log(2 * Math.PI)),
      1e-13,
    );
    // At the prior the field is E[x1] + σ′·x, and the data's mean is 0.
    expectClose(
      start['u'],
      x.flat().map((value) => -(1 - 1e-5) * value),
      1e-13,
    );
    const end = at(1);
    expectClose(end['p'].slice(1), [-Math.log(32), -Math.log(32)], 1e-12);
    expect(end['p'][0], 'log-density half a unit outside').below(-1e8);
    expect(end['u'].every(Number.isFinite)).to.equal(true);
  });

  it('have scores that are the gradients of their log-densities', () => {
    for (const density of [
      checkerboardDensity(),
      uniformSquares({ centres: [[0, 0]], halfWidth: 2 }),
      gaussianMixture({
        weights: [1, 3],
        means: [
          [0, 1],
          [2, -1],
        ],
        stds: [0.1, 0.7],
      }),
    ]) {
      const path = optimalTransport({ sigmaMin: 0.01 });
      const got = evaluate(
        ({ t, x, direction }) => {
          const { tangents } = jvp((point: Tensor) => [density.logDensity(path, t, point)], [x], [direction]);
          return { slope: tangents[0], score: density.score(path, t, x).mul(direction).sum(1) };
        },
        {
          t: f64Input([0.05, 0.3, 0.5, 0.95]),
          x: f64Input([
            [0.1, -0.2],
            [2.5, -1],
            [-1.2, 0.1],
            [1.1, -0.6],
          ]),
          direction: f64Input([
            [1, 0],
            [0, 1],
            [0.6, 0.8],
            [1, -1],
          ]),
        },
      );
      expectClose(got['slope'], got['score'], 1e-9);
    }
  });
});

/** erfcx by its continued fraction, from the 2000th term back: it converges for x > 0. */
const continuedFraction = (x: number): number => {
  let tail = 0;
  for (let n = 2000; n >= 1; n--) tail = n / 2 / (x + tail);
  return 1 / (Math.sqrt(Math.PI) * (x + tail));
};

describe('erfcx', () => {
  it('agrees with its continued fraction', () => {
    const xs = [0.3, 0.4687, 0.4688, 0.7, 1, 2, 3.999, 4.001, 8, 30, 1e4];
    const { y } = evaluate(({ x }) => ({ y: erfcx(x) }), { x: f64Input(xs) });
    y.forEach((value, i) => expectClose([value / continuedFraction(xs[i])], [1], 1e-14, `erfcx(${xs[i]}) ÷ expected`));
  });

  it('is 1 at 0', () => {
    expect(evaluate(({ x }) => ({ y: erfcx(x) }), { x: f64Input([0]) })['y']).to.deep.equal([1]);
  });
});

describe('gaussLegendre', () => {
  it('is exact for polynomials up to its degree', () => {
    const { nodes, weights } = gaussLegendre(20);
    const moment = (power: number): number => nodes.reduce((sum, node, i) => sum + weights[i] * node ** power, 0);
    for (let power = 0; power < 40; power++)
      expectClose([moment(power)], [power % 2 === 0 ? 2 / (power + 1) : 0], 1e-14, `moment ${power}`);
    expect(Math.abs(moment(40) - 2 / 41)).above(1e-14);
  });
});
