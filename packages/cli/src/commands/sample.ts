import { type Samples } from '@flow-matching/core';
import { formatShape, type HostArray, oneLine } from '@flow-matching/tensor';
import { dump } from 'npyjs';
import { extname } from 'node:path';
import { csvParts } from './csvParts.ts';
import { checkFileDestination } from '../disk/checkDestination.ts';
import { writeAtomically } from '../disk/writeAtomically.ts';
import { UsageError } from '../errors.ts';
import { scatterPicture } from '../report/scatterPicture.ts';
import { drawSamples } from '../run/drawSamples.ts';
import { checkSamplesMemory } from '../run/memory.ts';
import { openRun } from '../run/openRun.ts';
import { formatNumber } from '../terminal/formatTable.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { formatSeconds } from '../terminal/progress.ts';
import type { CommandContext } from './cliCommand.ts';
import type { RunOptions } from './runOptions.ts';
import { solverSettings, type SolverOptions } from './solverSettings.ts';

interface SampleOptions extends SolverOptions, RunOptions {
  readonly count: number;
  readonly seed?: number;
  readonly trajectory?: number;
  readonly out: string;
}

/** How samples are written, by file extension. */
const writers: Readonly<Record<string, (samples: Samples) => Iterable<Uint8Array | string>>> = {
  '.npy': ({ samples, trajectory }) => [npyOf(trajectory ?? samples)],
  '.csv': csvParts,
  '.png': ({ samples, trajectory }) => [scatterPicture([{ title: 'samples', points: trajectory ?? samples }])],
};

export async function sample(
  context: CommandContext,
  [path]: [run: string],
  { count, out, seed, trajectory, ...options }: SampleOptions,
): Promise<void> {
  const { output } = context;
  const write = writers[extname(out).toLowerCase()];
  if (!write)
    throw new UsageError(`--out ${oneLine(out)} has no known ending.`, {
      actual: out,
      expected: Object.keys(writers).join(', '),
    });
  if (trajectory !== undefined && trajectory < 2)
    throw new UsageError('--trajectory 1 keeps no trajectory.', { actual: trajectory, expected: '2 points or more' });
  await checkFileDestination('--out', out);
  using interrupts = new Interrupts(output, 'Stopping.');
  const { assembled, step, data } = await openRun(context, path, solverSettings(options), options);
  await using flow = assembled;
  const { shape: event } = flow.flow.context;
  if (extname(out).toLowerCase() === '.png' && event.length !== 1) {
    throw new UsageError(`Samples of shape ${formatShape(event)} have no picture.`, {
      actual: event,
      expected: 'points of a line, a plane or a space',
      remedy: 'Write them to a .npy file.',
    });
  }
  checkSamplesMemory({ count, shape: event, trajectory });
  const began = performance.now();
  const progress = output.progress('sample', count);
  const drawn = await drawSamples({ flow: flow.flow, data }, count, {
    seed: seed ?? flow.experiment.seed,
    trajectory,
    signal: interrupts.signal,
    onProgress: (done) => progress.update(done),
  });
  output.endProgress();
  await writeAtomically(out, write(drawn));
  const seconds = (performance.now() - began) / 1000;
  const { functionEvaluations, acceptedSteps, rejectedSteps } = drawn;
  const shape = (drawn.trajectory ?? drawn.samples).shape;
  output.result(
    `${formatNumber(count)} samples in ${oneLine(out)} (${functionEvaluations} function evaluations, ${formatSeconds(seconds)})`,
    {
      run: path,
      step,
      out,
      shape,
      functionEvaluations,
      acceptedSteps,
      rejectedSteps,
      seconds,
    },
  );
}

export const npyOf = ({ data, shape }: HostArray): Uint8Array =>
  new Uint8Array(dump(Float32Array.from(data), [...shape]));
