import type { Path } from '@flow-matching/core';
import { optimalTransport, variancePreserving } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { bounded } from '../case/limit.ts';
import type { MakeSolver } from '../suites/makeSolver.ts';
import { compare } from './compare.ts';
import { exactFlow } from './exactFlow.ts';
import { gaussianMarginal } from './gaussianMarginal.ts';
import { measureIndependence } from './independence.ts';
import { gaussianData } from './mixture.ts';
import { meanAndError, sampleMoments } from './sampleMoments.ts';

const paths: readonly Path[] = [optimalTransport({ sigmaMin: 0.1 }), variancePreserving()];
const steps = 128;
const count = 2048;

/** Checks for solvers that draw noise: they keep the marginals of the flow. */
export function stochasticSolverCases(make: MakeSolver, label: string): readonly ConformanceCase[] {
  const each = (part: string, claimed: string, run: (context: CaseContext) => Promise<void>): ConformanceCase => ({
    id: `L4/${label}/${part}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run,
  });
  return [
    ...paths.map((path) =>
      each(
        `moments on ${path.name}`,
        'with the exact score, samples have the mean and covariance of Gaussian data',
        (context) => measureMoments(context, make, path),
      ),
    ),
    each('independent noise', 'samples that start from one point end uncorrelated', (context) =>
      measureNoise(context, make),
    ),
    each('counts', 'counts its steps and evaluations', (context) => checkCounts(context, make)),
  ];
}

const flowOf = ({ backend }: CaseContext, path: Path, make: MakeSolver, stepCount: number) =>
  exactFlow(backend, path, (t, x) => gaussianMarginal(path, t, x).field, make({ steps: stepCount }));

async function measureMoments(context: CaseContext, make: MakeSolver, path: Path): Promise<void> {
  await using flow = await flowOf(context, path, make, steps);
  const { samples } = await flow.sample(count, { seed: context.seed });
  const { means, errors } = sampleMoments(samples.data);
  const sigma = path.name === 'optimal-transport' ? 0.1 : 0;
  const variance = gaussianData.stds[0] ** 2 + sigma ** 2;
  compare(
    context,
    'means, variances and covariance',
    { data: means, shape: [5], dtype: 'f32' },
    [...gaussianData.means[0], variance, variance, 0],
    bounded(
      errors.map((error) => 6 * error + 4 / steps),
      `6 standard errors, false alarms 1e-8, and ${4 / steps} for ${steps} steps of order 1`,
    ),
  );
}

async function measureNoise(context: CaseContext, make: MakeSolver): Promise<void> {
  await using flow = await flowOf(context, paths[0], make, 16);
  const source = { data: new Float32Array(2 * count).fill(0.5), shape: [count, 2], dtype: 'f32' as const };
  const { samples } = await flow.sample(count, { seed: context.seed, source });
  const { means, errors } = meanAndError(samples.data, 2);
  const stds = errors.map((error) => error * Math.sqrt(count));
  claim(
    stds.every((std) => std > 1e-3),
    `Samples from one point end with stds ${stds.join(' and ')}.`,
    { expected: 'noise' },
  );
  const data = Float64Array.from(samples.data, (value, i) => (value - means[i % 2]) / stds[i % 2]);
  measureIndependence(context, 'products of samples', { ...samples, data });
}

async function checkCounts(context: CaseContext, make: MakeSolver): Promise<void> {
  await using flow = await flowOf(context, paths[0], make, 16);
  const { acceptedSteps, rejectedSteps, functionEvaluations, status } = await flow.sample(4);
  claim(
    status.every((each) => each === 'done'),
    `The status is ${status.join(', ')}.`,
    { expected: 'done' },
  );
  claim(
    acceptedSteps === 16 && rejectedSteps === 0,
    `${acceptedSteps} steps are accepted and ${rejectedSteps} rejected.`,
    {
      expected: '16 and 0',
    },
  );
  claim(functionEvaluations > 0 && functionEvaluations % 16 === 0, `${functionEvaluations} evaluations are counted.`, {
    expected: 'a whole number a step',
  });
}
