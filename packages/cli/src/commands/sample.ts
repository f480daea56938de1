import { formatShape, type HostArray, type Samples } from '@flow-matching/core';
import { dump } from 'npyjs';
import { existsSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { writeAtomically } from '../disk/writeAtomically.ts';
import { UsageError } from '../errors.ts';
import { scatterPicture } from '../report/scatterPicture.ts';
import { drawSamples } from '../run/drawSamples.ts';
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

/** How samples are written, by the ending of the file. */
const writers: Readonly<Record<string, (samples: Samples) => Uint8Array | string>> = {
  '.npy': ({ samples, trajectory }) => npyOf(trajectory ?? samples),
  '.csv': csvOf,
  '.png': ({ samples, trajectory }) => scatterPicture([{ title: 'samples', points: trajectory ?? samples }]),
};

export async function sample(
  context: CommandContext,
  [path]: [run: string],
  { count, out, seed, trajectory, ...options }: SampleOptions,
): Promise<void> {
  const { output } = context;
  const write = writers[extname(out).toLowerCase()];
  if (!write)
    throw new UsageError(`--out ${out} has no known ending.`, {
      actual: out,
      expected: Object.keys(writers).join(', '),
    });
  if (trajectory !== undefined && trajectory < 2)
    throw new UsageError('--trajectory 1 keeps no way.', { actual: trajectory, expected: '2 points or more' });
  // Found out before the work, not after it.
  if (!existsSync(dirname(out))) {
    throw new UsageError(`There is no directory ${dirname(out)} to write ${basename(out)} to.`, {
      actual: out,
      expected: 'a directory that exists',
    });
  }
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
  const began = performance.now();
  const progress = output.progress('sample', count);
  const drawn = await drawSamples({ flow: flow.flow, data }, count, {
    seed: seed ?? flow.experiment.seed,
    trajectory,
    signal: interrupts.signal,
    onProgress: (done) => progress.update(done),
  });
  output.endProgress();
  await writeAtomically(out, [write(drawn)]);
  const seconds = (performance.now() - began) / 1000;
  const { functionEvaluations, acceptedSteps, rejectedSteps } = drawn;
  const shape = (drawn.trajectory ?? drawn.samples).shape;
  output.result(
    `${formatNumber(count)} samples in ${out} (${functionEvaluations} function evaluations, ${formatSeconds(seconds)})`,
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

/** One row a point, its coordinates flattened, nine digits, which tell all f32 apart; trajectories say first which sample and time a point belongs to. */
function csvOf({ samples, trajectory, times }: Samples): string {
  const { data, shape } = trajectory ?? samples;
  const width = shape.slice(trajectory ? 2 : 1).reduce((size, extent) => size * extent, 1);
  const names = Array.from({ length: width }, (_, i) => `x${i}`);
  const rows = Array.from({ length: data.length / width }, (_, row) => {
    const values = Array.from(data.subarray(row * width, (row + 1) * width), (value) => Number(value.toPrecision(9)));
    return (times ? [Math.floor(row / times.length), times[row % times.length], ...values] : values).join(',');
  });
  return [[...(times ? ['sample', 'time'] : []), ...names].join(','), ...rows, ''].join('\n');
}
