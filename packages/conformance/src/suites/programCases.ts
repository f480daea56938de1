import { type HostArray } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { bounded, close, exact, leastNormal, statistical } from '../case/limit.ts';
import { compareArrays } from '../case/measurement.ts';
import { gaussianOptimum, trainGaussian } from '../programs/gaussianOptimum.ts';
import { compare } from '../mathematics/compare.ts';
import { measureIndependence } from '../mathematics/independence.ts';
import { sampleMoments } from '../mathematics/sampleMoments.ts';
import { movingAverages } from '../programs/movingAverage.ts';
import { graphRecorder } from '../programs/graphRecorder.ts';
import { computeResult } from '../programs/programResult.ts';
import { brokenStep, statesAroundSkip } from '../programs/skippedStep.ts';
import { storedResult } from '../programs/storedResult.ts';
import { trainingDraws } from '../programs/trainingDraws.ts';
import { runTraining, trainingPrograms, type TrainingProgram } from '../programs/trainingProgram.ts';

/** Limits are this multiple of the effect of roundings, as at level 3. */
const margin = 8;

/** Level 5: complete trainings with the trainer, in f32. */
export const programCases = (): readonly ConformanceCase[] => [
  ...trainingPrograms.map((program) =>
    programCase(
      `${program.name}/f32/ten Adam steps`,
      'ten steps of Adam give the losses and parameters of the reference',
      (context) => measureTraining(context, program),
    ),
  ),
  programCase(
    'gaussian/f32/trained to its optimum',
    'an affine field trained on normal data at one time arrives at the marginal field (Lipman et al. 2023, Theorem 2)',
    measureOptimum,
  ),
  programCase(
    'draws/f32/times and noise of eight steps',
    'each step and each sample draws times uniform on [0, 1] and noise N(0, I) of its own, another seed others, the same seed the same',
    measureDraws,
  ),
  programCase(
    'moving average/f32/five steps',
    'averages begin at the initial parameters, and each step moves them by 1 − decay of the way to the new ones',
    measureAverages,
  ),
  programCase(
    'skipped step/f32/gradient that is not finite',
    'a step whose gradient is not finite leaves parameters and moments as they were, and training goes on',
    measureSkip,
  ),
];

const programCase = (name: string, claimed: string, run: (context: CaseContext) => Promise<void>): ConformanceCase => ({
  id: `L5/${name}`,
  level: 5,
  dtype: 'f32',
  claim: claimed,
  run,
});

/** Expected results are stored by the hash of the step's graph, and computed if the graph has changed. */
async function measureTraining(context: CaseContext, program: TrainingProgram): Promise<void> {
  const { backend, graphs } = graphRecorder(context.backend);
  const results = await runTraining(program, backend);
  const expected = storedResult(graphs[0].hash) ?? (await computeResult(program));
  for (const [name, { values, effect }] of Object.entries(expected)) {
    const { shape } = results[name];
    const limit = bounded(
      Float64Array.from(effect, (size) => margin * size + leastNormal('f32')),
      `${margin} times the effect of a unit round-off of f32 at random in every result of every step`,
    );
    context.measure(compareArrays(name, inSingle(results[name]), { data: values, shape, dtype: 'f32' }, limit));
  }
}

const inSingle = ({ data, shape }: HostArray): HostArray => ({ data, shape, dtype: 'f32' });

const decay = 0.75;

/** Each average is compared with one step of the recursion from the average and the parameters that were read. */
async function measureAverages(context: CaseContext): Promise<void> {
  const [first, ...seen] = await movingAverages(context.backend, decay);
  const type = { shape: [first.parameters.length], dtype: 'f32' } as const;
  context.measure(
    compareArrays(
      'the averages before the first step',
      { data: first.averages, ...type },
      { data: first.parameters, ...type },
      exact,
    ),
  );
  let before = first;
  for (const [i, after] of seen.entries()) {
    const expected = before.averages.map((average, k) => average + (1 - decay) * (after.parameters[k] - average));
    const moved = after.parameters.some((value, k) => value !== before.parameters[k]);
    claim(moved, `Step ${i + 1} changes no parameter.`);
    context.measure(
      compareArrays(
        `the averages after step ${i + 1}`,
        { data: after.averages, ...type },
        { data: expected, ...type },
        close(2 ** -20, 2 ** -21, 'four roundings of f32'),
      ),
    );
    before = after;
  }
}

const trainings = 16;

/** Compares the mean over trainings with different seeds with the optimum, relative to its standard error, which has 15 degrees of freedom. */
async function measureOptimum(context: CaseContext): Promise<void> {
  const { backend, seed } = context;
  const optimum = gaussianOptimum();
  const runs: number[][] = [];
  for (let i = 0; i < trainings; i++) runs.push(await trainGaussian(backend, trainings * seed + i));
  const means = optimum.map((_, k) => runs.reduce((sum, run) => sum + run[k], 0) / trainings);
  const errors = means.map((mean, k) =>
    Math.sqrt(runs.reduce((sum, run) => sum + (run[k] - mean) ** 2, 0) / (trainings * (trainings - 1))),
  );
  const shape = [optimum.length];
  // Student's t with 15 degrees of freedom exceeds 9 with a probability of 2e-7.
  const limit = statistical(errors, 9, 1.2e-6);
  const name = `weights, then biases, in the mean of ${trainings} trainings`;
  context.measure(
    compareArrays(name, { data: means, shape, dtype: 'f64' }, { data: optimum, shape, dtype: 'f64' }, limit),
  );
}

/** Draws are recovered as differences of sums of eight numbers of size one. */
const readOff = close(2 ** -18, 0, 'the rounding of sums that the draws are read off');

async function measureDraws(context: CaseContext): Promise<void> {
  const { backend, seed } = context;
  const { noise, times } = await trainingDraws(backend, seed);
  const count = times.length;
  const outside = times.find((t) => !(t >= -1e-4 && t <= 1 + 1e-4));
  claim(outside === undefined, `A time is ${outside}.`, { expected: 'times in [0, 1]' });
  const samples = { data: Float64Array.from(noise), shape: [count, 2], dtype: 'f32' as const };
  const { means, errors } = sampleMoments(samples.data);
  const moments = { data: means, shape: [5], dtype: 'f32' as const };
  compare(context, 'moments of the noise', moments, [0, 0, 1, 1, 0], statistical(errors, 6, 1e-8));
  // Standardized uniform times next to the first coordinate of the noise, so that repetition of either shows at every lag.
  const pairs = Float64Array.from({ length: 2 * count }, (_, i) =>
    i % 2 === 0 ? (times[i / 2] - 0.5) * Math.sqrt(12) : noise[i - 1],
  );
  const uniforms = sampleMoments(pairs);
  const expected = { data: uniforms.means, shape: [5], dtype: 'f32' as const };
  compare(context, 'moments of times, beside noise', expected, [0, 0, 1, 1, 0], statistical(uniforms.errors, 6, 1e-8));
  measureIndependence(context, 'products of noise', samples);
  measureIndependence(context, 'products of times and noise', { ...samples, data: pairs });
  const [again, other] = [await trainingDraws(backend, seed), await trainingDraws(backend, seed + 1)];
  const first = { data: noise, shape: [noise.length], dtype: 'f32' as const };
  context.measure(compareArrays('noise of the same seed', { ...first, data: again.noise }, first, readOff));
  const equal = other.noise.filter((value, i) => Math.abs(value - noise[i]) < 1e-4).length;
  claim(equal < noise.length / 100, `${equal} of ${noise.length} draws of another seed are the same.`, {
    expected: 'others',
  });
}

async function measureSkip(context: CaseContext): Promise<void> {
  const states = await statesAroundSkip(context.backend);
  states.forEach(({ skipped }, step) => {
    const wanted = step < brokenStep ? 0 : 1;
    claim(skipped === wanted, `After step ${step + 1} ${skipped} steps count as skipped.`, {
      expected: String(wanted),
    });
  });
  const [before, after, next] = [brokenStep - 1, brokenStep, brokenStep + 1].map((step) => states[step].state);
  for (const kind of ['parameters', 'optimizer'] as const) {
    for (const [name, array] of Object.entries(before[kind])) {
      context.measure(compareArrays(`${kind} ${name} after the skipped step`, after[kind][name], array, exact));
      const moved = next[kind][name].data.every((value, i) => Number.isFinite(value) && value !== array.data[i]);
      claim(moved, `${kind} ${name} does not move in the step after the skipped one.`);
    }
  }
}
