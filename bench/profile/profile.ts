import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { makeBackend } from '../backends.ts';
import { cacheFolder, type SharedInputs } from '../experiment.ts';
import type { BenchOptions } from '../options.ts';
import { prepareOurWork } from '../ourSubject.ts';
import { median } from '../statistics.ts';
import { formatMilliseconds, formatTable } from '../table.ts';
import type { Work } from '../works.ts';
import { measureLimits, type Limits } from './limits.ts';
import { ProfilingBackend } from './profilingBackend.ts';
import { readTrace, type SessionTrace } from './readTrace.ts';
import { isProduct, summarize, withShapes, type KernelGroup } from './summarize.ts';

/** Where one operation's milliseconds go. */
export interface Profile {
  readonly work: string;
  /** Milliseconds an operation without the profiler: the median. */
  readonly untraced: number;
  /** The sum of the parts below. */
  readonly traced: number;
  readonly byOperator: readonly KernelGroup[];
  readonly byShape: readonly KernelGroup[];
  /** Milliseconds inside ONNX Runtime but in no operator. */
  readonly executor: number;
  /** Milliseconds outside ONNX Runtime: data, noise, the loop, the binding. */
  readonly host: number;
}

/** Timings of each work; the trace holds the runs of all of them. */
const measured = 6;

/** Prints and returns the limits of the machine and the profile of each work. */
export async function profile(
  inputs: SharedInputs,
  { works, threads }: BenchOptions,
  signal: AbortSignal,
): Promise<{ limits: Limits; profiles: Profile[] }> {
  await using backend = await makeBackend('onnx', { threads });
  const limits = await measureLimits(backend, [...new Set(works.map(({ size }) => size))]);
  console.log(`${formatLimits(limits)}\n`);
  const profiles: Profile[] = [];
  for (const work of works) {
    if (signal.aborted) break;
    const untraced = await timeUntraced(inputs, work, threads);
    const result = await profileWork(inputs, work, threads, untraced);
    console.log(`${formatProfile(work, result)}\n`);
    profiles.push(result);
  }
  return { limits, profiles };
}

async function timeUntraced(inputs: SharedInputs, work: Work, threads: number): Promise<number> {
  await using backend = await makeBackend('onnx', { threads });
  const prepared = await prepareOurWork(backend, inputs, work);
  const milliseconds = median(await prepared.measure(measured));
  await prepared.release();
  return milliseconds;
}

async function profileWork(inputs: SharedInputs, work: Work, threads: number, untraced: number): Promise<Profile> {
  const folder = mkdtempSync(`${cacheFolder}profile-`);
  try {
    const backend = new ProfilingBackend(threads, `${folder}/session`);
    const prepared = await prepareOurWork(backend, inputs, work);
    const wall = await prepared.measure(measured);
    await prepared.release();
    await backend.dispose();
    // Preparing runs once (a solve) or `operations` times (a training), measuring once more than is timed; each run is alike.
    const before = (work.kind === 'training' ? work.operations : 1) + work.operations;
    const operations = measured * work.operations;
    const traces = readdirSync(folder).map((file) => readTrace(`${folder}/${file}`, before / (before + operations)));
    const perOperation = (of: (trace: SessionTrace) => number): number =>
      traces.reduce((sum, trace) => sum + of(trace), 0) / 1000 / operations;
    const host =
      wall.reduce((sum, milliseconds) => sum + milliseconds, 0) / wall.length - perOperation(({ total }) => total);
    const executor = perOperation((trace) => trace.executor * trace.runs);
    const byOperator = summarize(traces, operations, ({ operator }) => operator);
    return {
      work: work.id,
      untraced,
      traced: byOperator.reduce((sum, { milliseconds }) => sum + milliseconds, executor + host),
      byOperator,
      byShape: summarize(traces, operations, withShapes),
      executor,
      host,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function formatLimits({ products, bandwidth }: Limits): string {
  const rows = Object.entries(products).map(([shapes, rate]) => [shapes, rate.toFixed(0)]);
  return `${formatTable(['Products alone, f32', 'GFLOP/s'], rows)}\nAddition over 64 MiB arrays: ${bandwidth.toFixed(1)} GB/s`;
}

function formatProfile(work: Work, { untraced, traced, byOperator, byShape, executor, host }: Profile): string {
  const row = ({ label, count, milliseconds, flops, bytes }: KernelGroup): string[] => [
    label,
    count.toFixed(count < 10 && !Number.isInteger(count) ? 1 : 0),
    milliseconds.toFixed(3),
    `${((100 * milliseconds) / traced).toFixed(1)} %`,
    flops > 0 ? (flops / milliseconds / 1e6).toFixed(0) : '',
    (bytes / milliseconds / 1e6).toFixed(0),
  ];
  const outside = (label: string, milliseconds: number): string[] => [
    label,
    '',
    milliseconds.toFixed(3),
    `${((100 * milliseconds) / traced).toFixed(1)} %`,
    '',
    '',
  ];
  const heading = `${work.title}: ${formatMilliseconds(untraced)} ms, ${formatMilliseconds(traced)} ms by the trace`;
  const columns = ['count', 'ms', 'share', 'GFLOP/s', 'GB/s'];
  const rows = [...byOperator.map(row), outside('between operators', executor), outside('outside the runtime', host)];
  const matrix = byOperator
    .filter(({ label }) => isProduct(label))
    .reduce(
      (sum, { milliseconds, flops }) => ({ milliseconds: sum.milliseconds + milliseconds, flops: sum.flops + flops }),
      { milliseconds: 0, flops: 0 },
    );
  return [
    heading,
    formatTable(['operator', ...columns], rows),
    `Matrix products: ${(matrix.flops / 1e9).toFixed(2)} GFLOP at ${(matrix.flops / matrix.milliseconds / 1e6).toFixed(0)} GFLOP/s`,
    formatTable(['largest kernels', ...columns], byShape.slice(0, 16).map(row)),
  ].join('\n');
}
