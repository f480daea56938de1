import { createHash } from 'node:crypto';
import type { Experiment } from './experiment.ts';

/** The settings that determine the final parameters of a training. Name, solver, backend and report interval may change between resumes. */
export function identityOf({
  seed,
  data,
  path,
  coupling,
  objective,
  timeSampler,
  model,
  optimizer,
  training,
  plugins,
}: Experiment): Record<string, unknown> {
  const { steps, batchSize, ema } = training;
  return {
    seed,
    data,
    path,
    coupling,
    objective,
    timeSampler,
    model,
    optimizer,
    training: { steps, batchSize, ...(ema !== undefined && { ema }) },
    plugins,
  };
}

/** A hash of an experiment's identity, with which checkpoints identify their experiment. */
export const experimentHash = (experiment: Experiment): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(leaves(identityOf(experiment)))))
    .digest('hex');

export interface Difference {
  /** Dotted. */
  readonly key: string;
  readonly values: [unknown, unknown];
}

/** The first key that determines the parameters and differs between two experiments. */
export const firstDifference = (a: Experiment, b: Experiment): Difference | undefined =>
  differenceOf(identityOf(a), identityOf(b));

/** The first key in which two nested values differ, regardless of the order of keys. */
export function differenceOf(a: unknown, b: unknown): Difference | undefined {
  const [left, right] = [a, b].map((value) => new Map(leaves(value)));
  const key = [...left.keys(), ...right.keys()].find((name) => left.get(name) !== right.get(name));
  return key === undefined ? undefined : { key, values: [left.get(key), right.get(key)] };
}

/** The leaf values by dotted path, sorted, so that the order of keys makes no difference. */
export function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const inner = Object.entries(value).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
  return inner.toSorted(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0));
}
