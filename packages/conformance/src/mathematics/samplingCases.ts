import type { Path } from '@flow-matching/core';
import type { HostArray } from '@flow-matching/tensor';
import { euler } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { bounded } from '../case/limit.ts';
import { compare } from './compare.ts';
import { conformancePaths } from './conformancePaths.ts';
import { exactFlow } from './exactFlow.ts';
import { measureIndependence } from './independence.ts';
import { sampleMoments } from './sampleMoments.ts';

const count = 4096;
/** Less than half of the samples: draws must continue from batch to batch. */
const batchSize = 1024;

/** Draws [4096, 2] from a path's prior; tests may pass another implementation. */
export type DrawPrior = (context: CaseContext, path: Path) => Promise<HostArray>;

/** Cases for the sampler's prior draws, with the backend's own noise, for every path that starts from noise. */
export const samplingCases = (draw: DrawPrior = drawPrior): readonly ConformanceCase[] =>
  conformancePaths()
    .filter(({ path }) => path.sides === 'one')
    .flatMap(({ label, path }) => {
      const stds = [0, 1].map((d) => (typeof path.priorStd === 'number' ? path.priorStd : path.priorStd[d]));
      return [
        {
          id: `L4/sampling/prior moments on ${label}`,
          level: 4,
          dtype: 'f32',
          claim: `prior draws have mean 0, standard deviations ${stds.join(' and ')} and no covariance`,
          async run(context) {
            const samples = await draw(context, path);
            const { means, errors } = sampleMoments(samples.data);
            const limit = bounded(
              errors.map((error) => 6 * error),
              '6 standard errors, false alarms 1e-8',
            );
            const moments = { data: means, shape: [5], dtype: 'f32' as const };
            const expected = [0, 0, stds[0] ** 2, stds[1] ** 2, 0];
            compare(context, 'means, variances and covariance', moments, expected, limit);
          },
        },
        {
          id: `L4/sampling/independent draws on ${label}`,
          level: 4,
          dtype: 'f32',
          claim: 'prior draws of different samples are uncorrelated',
          async run(context) {
            const { data, ...type } = await draw(context, path);
            const standardized = data.map((value, i) => value / stds[i % 2]);
            measureIndependence(context, 'products of draws', { data: standardized, ...type });
          },
        },
      ] satisfies ConformanceCase[];
    });

/** Samples a flow with a zero field. */
export async function drawPrior({ backend, seed }: CaseContext, path: Path): Promise<HostArray> {
  await using flow = await exactFlow(backend, path, (_, x) => x.mul(0), euler({ steps: 1 }));
  const { samples } = await flow.sample(count, { seed, batchSize });
  return samples;
}
