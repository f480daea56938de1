import { exactDivergence, hutchinsonDivergence, type PointField } from '@flow-matching/core';
import { concat, constant, type Tensor } from '@flow-matching/tensor';
import { optimalTransport } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { bounded, roundOff, statistical } from '../case/limit.ts';
import { compare } from './compare.ts';
import { evaluate, floats } from './evaluate.ts';
import { exactFlow } from './exactFlow.ts';
import { meanAndError } from './sampleMoments.ts';

/** How divergences are computed; tests may pass another implementation. */
export interface Divergences {
  readonly exactDivergence: typeof exactDivergence;
  readonly hutchinsonDivergence: typeof hutchinsonDivergence;
}

/** u_i = x_i²·x_{i+1}, with cyclic indices: its divergence is 2 Σ x_i·x_{i+1}, its Jacobian is not symmetric. */
const circle: PointField = (x) => {
  const [, dimension] = x.shape;
  return x.square().mul(concat([x.slice(1, 1, dimension), x.slice(1, 0, 1)], 1));
};

const circleTerms = (row: readonly number[]): number[] => row.map((value, i) => 2 * value * row[(i + 1) % row.length]);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Both divergences, and the likelihood from the stochastic one (Lipman et al. 2023, appendix C). */
export const divergenceCases = (
  divergences: Divergences = { exactDivergence, hutchinsonDivergence },
): readonly ConformanceCase[] => [
  // Up to 16 dimensions there is one tangent per dimension; above, one pass over repeated rows.
  ...[3, 20].map((dimension) => ({
    id: `L4/divergence/exact, ${dimension} dimensions`,
    level: 4 as const,
    dtype: 'f32' as const,
    claim: 'the exact divergence is the trace of the Jacobian',
    run: (context: CaseContext) => measureExact(context, divergences, dimension),
  })),
  ...[1, 3].map((probes) => ({
    id: `L4/divergence/Hutchinson, ${probes === 1 ? 'a given probe' : `${probes} given probes`}`,
    level: 4 as const,
    dtype: 'f32' as const,
    claim: `the estimate of ${probes} given probe${probes === 1 ? '' : 's'} is the mean of their zᵀ(∂u/∂x)z`,
    run: (context: CaseContext) => measureGivenProbes(context, divergences, probes),
  })),
  ...(['rademacher', 'gaussian'] as const).map((distribution) => ({
    id: `L4/divergence/Hutchinson, ${distribution}`,
    level: 4 as const,
    dtype: 'f32' as const,
    claim: `the estimate zᵀ(∂u/∂x)z over ${distribution} probes is unbiased`,
    run: (context: CaseContext) => measureUnbiased(context, divergences, distribution),
  })),
  {
    id: 'L4/divergence/Hutchinson likelihood',
    level: 4,
    dtype: 'f32',
    claim: 'log-likelihoods by Hutchinson probes of the backend are unbiased along a linear field',
    run: measureLikelihood,
  },
];

async function measureExact(
  context: CaseContext,
  { exactDivergence: of }: Divergences,
  dimension: number,
): Promise<void> {
  const x = context.random.normal([8, dimension]);
  const { divergence } = await evaluate(context, ({ x: point }) => ({ divergence: of(circle, point).divergence }), {
    x,
  });
  const terms = Array.from({ length: 8 }, (_, row) =>
    circleTerms(Array.from(x.data.subarray(row * dimension, (row + 1) * dimension), Number)),
  );
  const magnitudes = terms.map((row) => sum(row.map(Math.abs)));
  compare(context, 'the divergence', divergence, terms.map(sum), roundOff('f32', dimension, magnitudes, 8));
}

/** The circle's Jacobian has 2·x_i·x_{i+1} on its diagonal and x_i² next to it, so zᵀJz is a sum of known terms, not only on average. */
async function measureGivenProbes(
  context: CaseContext,
  { hutchinsonDivergence: of }: Divergences,
  count: number,
): Promise<void> {
  const { random } = context;
  const [rows, dimension] = [6, 5];
  const x = random.normal([rows, dimension]);
  const probes = Array.from({ length: count }, () => random.normal([rows, dimension]));
  const { divergence } = await evaluate(
    context,
    ({ x: point, ...given }) => ({ divergence: of(circle, point, Object.values(given)).divergence }),
    { x, ...Object.fromEntries(probes.map((probe, i) => [`probe${i}`, probe])) },
  );
  const terms = Array.from({ length: rows }, (_, row) =>
    probes.flatMap((probe) => {
      const [at, z] = [x, probe].map(({ data }) =>
        Array.from(data.subarray(row * dimension, (row + 1) * dimension), Number),
      );
      return at.flatMap((value, i) => {
        const next = (i + 1) % dimension;
        return [(2 * value * at[next] * z[i] ** 2) / count, (value ** 2 * z[i] * z[next]) / count];
      });
    }),
  );
  const magnitudes = terms.map((row) => sum(row.map(Math.abs)));
  compare(context, 'the estimate', divergence, terms.map(sum), roundOff('f32', 2 * dimension * count, magnitudes, 8));
}

const probeCount = 8192;

async function measureUnbiased(
  context: CaseContext,
  { hutchinsonDivergence: of }: Divergences,
  distribution: 'rademacher' | 'gaussian',
): Promise<void> {
  const { random } = context;
  const point = Array.from(random.normal([4]).data, Number);
  const normal = random.normal([probeCount, 4]);
  const probe =
    distribution === 'gaussian' ? normal : { ...normal, data: Float32Array.from(normal.data, (z) => (z < 0 ? -1 : 1)) };
  const x = floats(
    Array.from({ length: probeCount * 4 }, (_, i) => point[i % 4]),
    [probeCount, 4],
  );
  const { divergence } = await evaluate(
    context,
    ({ x: points, probe: probes }) => ({ divergence: of(circle, points, [probes]).divergence }),
    { x, probe },
  );
  const { means, errors } = meanAndError(divergence.data, 1);
  const mean = { data: means, shape: [1], dtype: 'f32' as const };
  compare(context, 'the mean estimate', mean, [sum(circleTerms(point))], statistical(errors, 6, 1e-8));
}

/** u = A·x with tr A = 0.5 and a symmetric part off the diagonal, so that probes differ. */
const matrix = [
  [0.8, 0.9],
  [-0.3, -0.3],
];

async function measureLikelihood(context: CaseContext): Promise<void> {
  const count = 4096;
  const linear = (_: Tensor, x: Tensor): Tensor => x.matmul(constant(matrix).transpose());
  await using flow = await exactFlow(context.backend, optimalTransport(), linear);
  const points = floats(
    Array.from({ length: 2 * count }, (_, i) => [0.7, -0.4][i % 2]),
    [count, 2],
  );
  const scored = await flow.logLikelihood(points, { divergence: 'hutchinson', seed: context.seed });
  const exact = await flow.logLikelihood(points, { divergence: 'exact' });
  const { means, errors } = meanAndError(scored.logLikelihood, 1);
  const latent = Array.from(exact.latent.data.subarray(0, 2), Number);
  // log p₁ = log N(latent) − ∫ tr A dt.
  const expected = -sum(latent.map((z) => z ** 2 / 2)) - Math.log(2 * Math.PI) - (matrix[0][0] + matrix[1][1]);
  const solver = 1e-5 * exact.acceptedSteps * Math.sqrt(3 * count);
  const limit = bounded([6 * errors[0] + solver], '6 standard errors, false alarms 1e-8, and the solver’s tolerance');
  compare(context, 'the mean log p₁', { data: means, shape: [1], dtype: 'f32' }, [expected], limit);
  const first = { data: exact.logLikelihood.slice(0, 1), shape: [1], dtype: 'f32' as const };
  compare(context, 'log p₁ by the exact divergence', first, [expected], bounded([solver], 'the solver’s tolerance'));
}
