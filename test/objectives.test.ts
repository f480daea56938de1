import {
  conditionalFlow,
  gaussianPath,
  PathError,
  type Objective,
  type Path,
  type TimeSampler,
} from '@flow-matching/core';
import {
  concat,
  HostRandomStream,
  OptionError,
  valueAndGrad,
  type Backend,
  type HostArray,
  type Tensor,
} from '@flow-matching/tensor';
import {
  checkerboardDensity,
  conditionalFlowMatching,
  flowMatching,
  gaussianMixture,
  importance,
  noiseMatching,
  scoreFlow,
  scoreMatching,
  uniform,
  x1Prediction,
} from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { sizeOfRounding } from './support/conditioning.ts';
import { evaluateOn, expectWithin } from './support/evaluate.ts';
import { gaussian, gaussianMarginal, gaussianMoments, type GaussianMarginal } from './support/gaussianData.ts';
import { isotropicPaths, oneSidedPaths, twoSidedPaths } from './support/paths.ts';

/** Rounding errors that a conversion's formulas may add up. */
const operations = 64;

/** Objectives with what their model predicts, and the loss of the exact prediction at a time, for one coordinate. */
interface Known {
  readonly objective: Objective;
  readonly predicts: keyof GaussianMarginal;
  /** The conditional variance that no prediction removes, from scale a, std σ, their rates, data std s and marginal variance v. */
  readonly floor: (c: { a: number; std: number; aRate: number; stdRate: number; s: number; v: number }) => number;
}
const known: readonly Known[] = [
  { objective: noiseMatching(), predicts: 'noise', floor: ({ a, s, v }) => (a * s) ** 2 / v },
  { objective: scoreMatching(), predicts: 'score', floor: ({ a, s, v }) => (a * s) ** 2 / v },
  {
    objective: scoreFlow(),
    predicts: 'score',
    // Its weight is the rate of the signal-to-noise ratio, whose two parts are bounded.
    floor: ({ a, std, aRate, stdRate, s, v }) =>
      (2 * (Math.min(aRate / a, 2 ** 17) + Math.min(-stdRate / std, 2 ** 17)) * (a * s) ** 2) / v,
  },
  { objective: x1Prediction(), predicts: 'data', floor: ({ std, s, v }) => (s * std) ** 2 / v },
  {
    objective: conditionalFlowMatching(),
    predicts: 'field',
    floor: ({ a, std, aRate, stdRate, s, v }) => (s * (aRate * std - a * stdRate)) ** 2 / v,
  },
];

/** Draws of a batch on the host: uniforms on the 2⁻²⁴ grid, Gaussian data, noise. */
function draw(count: number, seed: number): { uniform: HostArray; x1: HostArray; noise: HostArray } {
  const random = new HostRandomStream(seed);
  const x1 = random.normal([count, 2], gaussian.std);
  for (let i = 0; i < x1.data.length; i++) x1.data[i] += gaussian.means[i % 2];
  return { uniform: random.uniform([count]), x1, noise: random.normal([count, 2]) };
}

/** Times on the path's interval, as drivers draw them. */
function timesOf(path: Path, sampler: TimeSampler, uniforms: Tensor): { t: Tensor; weight: Tensor | undefined } {
  const { t, weight } = sampler.sample(uniforms, path);
  const { start, end } = path.interval;
  return { t: t.mul(end - start).add(start), weight };
}

/** ∫ f dt over the interval by the midpoint rule in a variable that crowds at both ends: t = s²(3 − 2s). */
function integrate(path: Path, f: (times: number[]) => number[]): number {
  const { start, end } = path.interval;
  const cells = 4000;
  const shares = Array.from({ length: cells }, (_, i) => (i + 0.5) / cells);
  const values = f(shares.map((s) => Math.min(end, start + (end - start) * s * s * (3 - 2 * s))));
  return values.reduce((sum, value, i) => sum + (value * 6 * shares[i] * (1 - shares[i])) / cells, 0);
}

onEachBackend('objectives', (backend, roundOff) => {
  for (const [label, path] of Object.entries(oneSidedPaths)) {
    it(`convert the exact posterior to the exact marginal field on ${label}`, async () => {
      for (const { objective, predicts } of known) {
        const { start, end } = objective.interval?.(path) ?? path.interval;
        const times = [0, 2 ** -10, 0.02, 0.3, 0.5, 0.8, 0.98, 1].map((share) => start * (1 - share) + end * share);
        const at = { t: times, x: times.map((_, i) => [Math.sin(3 * i), 1.5 * Math.cos(2 * i)]) };
        const formula = ({ t, x }: Record<string, Tensor>): Record<string, Tensor> => {
          const marginal = gaussianMarginal(path, t, x);
          return { converted: objective.field(marginal[predicts], { path, t, x }), exact: marginal.field };
        };
        const got = await evaluateOn(backend(), formula, at);
        // A conversion may magnify the rounding of the prediction by the largest rate it trusts.
        const magnified = ({ t, x }: Record<string, Tensor>): Record<string, Tensor> => {
          const prediction = gaussianMarginal(path, t, x)[predicts];
          return {
            up: objective.field(prediction.mul(1 + 2 ** -10), { path, t, x }),
            down: objective.field(prediction.mul(1 - 2 ** -10), { path, t, x }),
            shifted: objective.field(prediction.add(2 ** -10), { path, t, x }),
            unshifted: objective.field(prediction, { path, t, x }),
          };
        };
        const [sizes, { up, down, shifted, unshifted }] = [
          await sizeOfRounding(formula, at),
          await evaluateOn(backend(), magnified, at),
        ];
        const within = sizes.exact.map(
          (size, i) =>
            operations *
            roundOff *
            (size + (Math.abs(up[i] - down[i]) / 2 + Math.abs(shifted[i] - unshifted[i])) * 2 ** 10),
        );
        expectWithin(got.converted, got.exact, within, `${objective.name} on ${label}`);
      }
    });
  }

  it('have the known loss at the exact prediction, from uniform and from importance-weighted times', async () => {
    const count = 6000;
    for (const label of [
      'optimal-transport, σmin 0.1',
      'variance-preserving',
      'trigonometric',
      'linear-vp',
      'polynomial of degree 3',
    ]) {
      const path = oneSidedPaths[label];
      for (const [sampler, seed] of [
        [uniform(), 3],
        [importance(), 4],
      ] as const) {
        const losses = await evaluateOn(
          backend(),
          ({ uniform: uniforms, x1, noise }) => {
            const { t, weight } = timesOf(path, sampler, uniforms);
            const { x, velocity } = conditionalFlow(path, t, { x1 }, noise);
            const marginal = gaussianMarginal(path, t, x);
            const sample = { path, t, z: { x1 }, noise, x, velocity };
            return Object.fromEntries(
              known.map(({ objective, predicts }) => {
                const loss = objective.loss(marginal[predicts], sample);
                return [objective.name, weight ? loss.mul(weight) : loss];
              }),
            );
          },
          { ...draw(count, seed) },
        );
        const length = path.interval.end - path.interval.start;
        for (const { objective, floor } of known) {
          // ScoreFlow's loss has no finite variance under uniform times where std goes to 0 at the data.
          if (objective.name === 'score-flow' && sampler.name === 'uniform') continue;
          const exact =
            integrate(path, (times) => {
              const { scale, std, scaleRate, stdRate, marginalStd } = gaussianMoments(path, times);
              return times.map((_, row) =>
                floor({
                  a: scale[2 * row],
                  std: std[2 * row],
                  aRate: scaleRate[2 * row],
                  stdRate: stdRate[2 * row],
                  s: gaussian.std,
                  v: marginalStd[2 * row] ** 2,
                }),
              );
            }) / length;
          const values = losses[objective.name];
          const mean = values.reduce((sum, value) => sum + value, 0) / count;
          const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / count;
          // Five standard errors: a false alarm in two million comparisons.
          expectWithin([mean], [exact], 5 * error, `${objective.name} with ${sampler.name} times on ${label}: loss`);
        }
      }
    }
  });

  it('with a known marginal field have no loss at the exact field', async () => {
    const density = gaussianMixture({ weights: [1], means: [[...gaussian.means]], stds: [gaussian.std] });
    const objective = flowMatching({ density });
    for (const [label, path] of Object.entries(isotropicPaths)) {
      const { loss } = await evaluateOn(
        backend(),
        ({ t, x1, noise }) => {
          const { x, velocity } = conditionalFlow(path, t, { x1 }, noise);
          const { field } = gaussianMarginal(path, t, x);
          return { loss: objective.loss(field, { path, t, z: { x1 }, noise, x, velocity }) };
        },
        {
          t: [0, 0.3, 0.7, 0.95],
          x1: [
            [1, 0],
            [2, 1],
            [1, -1],
            [1.5, 0],
          ],
          noise: [
            [0, 1],
            [-1, 1],
            [0.5, 2],
            [1, 1],
          ],
        },
      );
      expectWithin(loss, [0, 0, 0, 0], (operations * roundOff * 100) ** 2, label);
    }
  });

  for (const label of [
    'optimal-transport',
    'variance-preserving',
    'variance-exploding',
    'trigonometric',
    'polynomial of degree 3',
  ]) {
    it(`obey Theorem 2 on ${label}: the gradients of FM and CFM differ by noise that falls as 1/√N`, async () => {
      const sizes = [64, 512, 4096];
      const spreads: number[] = [];
      for (const size of sizes) {
        const count = 32768 / size;
        const differences = await gradientDifferences(backend(), isotropicPaths[label], size, count);
        const width = differences[0].length;
        const columns = Array.from({ length: width }, (_, i) => differences.map((row) => row[i]));
        spreads.push(Math.sqrt(columns.flat().reduce((sum, value) => sum + value ** 2, 0) / count));
        for (const [i, column] of columns.entries()) {
          const mean = column.reduce((sum, value) => sum + value, 0) / count;
          const error = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count * (count - 1)));
          // Student's t with 7 degrees of freedom or more beyond 9: a false alarm in 2·10⁴ comparisons, and there are 24 a path.
          expect(Math.abs(mean), `mean difference of parameter ${i} at N = ${size}`).below(9 * error);
        }
      }
      // 64 values that are correlated give the last spread a relative error of about 0.2, and the slope one of 0.2/ln 64 = 0.05.
      const slope = Math.log(spreads[2] / spreads[0]) / Math.log(sizes[2] / sizes[0]);
      expect(slope, 'slope of log difference against log N').within(-0.7, -0.3);
    });
  }
});

/** Means of FM gradient − CFM gradient over `count` blocks of `size` samples, for the parameters of an affine model: [count][8]. */
async function gradientDifferences(backend: Backend, path: Path, size: number, count: number): Promise<number[][]> {
  const density = gaussianMixture({ weights: [1], means: [[...gaussian.means]], stds: [gaussian.std] });
  const repeated = (rows: number[][]): number[][][] => Array.from({ length: count }, () => rows);
  const { difference } = await evaluateOn(
    backend,
    ({ uniform: uniforms, x1, noise, weight, drift, bias }) => {
      const { t } = timesOf(path, uniform(), uniforms);
      const { x, velocity } = conditionalFlow(path, t, { x1 }, noise);
      const sample = { path, t, z: { x1 }, noise, x, velocity };
      /** Every block has parameters of its own, so one reverse pass gives the gradients of all block means. */
      const gradientOf = (objective: Objective): Tensor => {
        const { gradient } = valueAndGrad(
          (at) => {
            const blocks = x
              .reshape([count, size, 2])
              .matmul(at.weight)
              .add(t.reshape([count, size, 1]).mul(at.drift))
              .add(at.bias);
            return objective
              .loss(blocks.reshape([count * size, 2]), sample)
              .sum()
              .div(size);
          },
          { weight, drift, bias },
        );
        return concat([gradient.weight, gradient.drift, gradient.bias], 1).reshape([count, -1]);
      };
      return { difference: gradientOf(flowMatching({ density })).sub(gradientOf(conditionalFlowMatching())) };
    },
    {
      ...draw(size * count, size),
      weight: repeated([
        [0.3, -0.2],
        [0.1, 0.4],
      ]),
      drift: repeated([[0.5, -0.3]]),
      bias: repeated([[0.2, 0.1]]),
    },
  );
  const width = difference.length / count;
  return Array.from({ length: count }, (_, block) => difference.slice(block * width, (block + 1) * width));
}

describe('objectives that convert', () => {
  const converting = known.map(({ objective }) => objective).filter(({ name }) => name !== 'conditional-flow-matching');

  it('refuse two-sided paths, naming path and objective', () => {
    for (const objective of [...converting, flowMatching({ density: { name: 'checkerboard' } })]) {
      for (const path of Object.values(twoSidedPaths)) {
        expect(() => objective.validate?.(path, [2]), `${objective.name} on ${path.name}`).to.throw(
          PathError,
          new RegExp(`${objective.name}.*${path.name}`),
        );
      }
    }
  });

  it('refuse a mean that is not proportional to the data point', () => {
    const bent = gaussianPath({
      name: 'bent',
      mean: (t, x1) => x1.mul(t).add(t.mul(t.neg().add(1))),
      std: (t) => t.neg().add(1.01),
      priorStd: 1.01,
    });
    for (const objective of converting)
      expect(() => objective.validate?.(bent, [2])).to.throw(PathError, /bent.*not proportional/);
  });

  it('take every one-sided path', () => {
    for (const path of Object.values(oneSidedPaths))
      for (const objective of converting) objective.validate?.(path, [2]);
  });

  it('trust the whole interval where nothing they divide by vanishes, and else all but a sliver', () => {
    const [noise, data] = [noiseMatching(), x1Prediction()];
    expect(noise.interval?.(isotropicPaths['variance-preserving'])).to.deep.equal({ start: 0, end: 1 - 1e-5 });
    expect(data.interval?.(isotropicPaths['variance-exploding'])).to.deep.equal({ start: 0, end: 1 });
    for (const path of Object.values(oneSidedPaths)) {
      expect(noise.interval?.(path).start).below(1 / 32);
      expect(data.interval?.(path).end).above(1 - 1 / 32);
    }
  });

  it('know the field of their data only', () => {
    expect(() =>
      flowMatching({ density: checkerboardDensity() }).validate?.(isotropicPaths['trigonometric'], [3]),
    ).to.throw(PathError, 'points [2]');
    expect(() => flowMatching({ density: { name: 'moons' } as never })).to.throw(OptionError, 'density');
  });
});
