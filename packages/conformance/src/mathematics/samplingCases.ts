import { euler, optimalTransport } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { bounded } from '../case/limit.ts';
import { compare } from './compare.ts';
import { exactFlow } from './exactFlow.ts';
import { measureIndependence } from './independence.ts';
import { sampleMoments } from './sampleMoments.ts';

const count = 4096;
/** Less than half of the samples: draws must go on from batch to batch. */
const batchSize = 1024;

/** What the sampler's prior draws are, on the backend's own noise. */
export const samplingCases = (): readonly ConformanceCase[] => [
  {
    id: 'L4/sampling/prior moments',
    level: 4,
    dtype: 'f32',
    claim: 'prior draws have mean 0 and covariance I',
    async run(context) {
      const samples = await drawPrior(context);
      const { means, errors } = sampleMoments(samples.data);
      const limit = bounded(
        errors.map((error) => 6 * error),
        '6 standard errors, false alarms 1e-8',
      );
      const moments = { data: means, shape: [5], dtype: 'f32' as const };
      compare(context, 'means, variances and covariance', moments, [0, 0, 1, 1, 0], limit);
    },
  },
  {
    id: 'L4/sampling/independent draws',
    level: 4,
    dtype: 'f32',
    claim: 'prior draws of different samples are uncorrelated',
    async run(context) {
      measureIndependence(context, 'products of draws', await drawPrior(context));
    },
  },
];

/** [count, 2] through a flow that stands still. */
async function drawPrior({ backend, seed }: CaseContext) {
  await using flow = await exactFlow(backend, optimalTransport(), (_, x) => x.mul(0), euler({ steps: 1 }));
  const { samples } = await flow.sample(count, { seed, batchSize });
  return samples;
}
