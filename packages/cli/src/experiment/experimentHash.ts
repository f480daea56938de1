import { createHash } from 'node:crypto';
import type { Experiment } from './experiment.ts';

/** What decides the parameters a training ends with. Name, solver, backend and how often it reports may change between resumes. */
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

/** A hash of an experiment's identity, for checkpoints to name what they belong to. */
export const experimentHash = (experiment: Experiment): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(leaves(identityOf(experiment)))))
    .digest('hex');

export interface Difference {
  /** Dotted. */
  readonly key: string;
  readonly values: [unknown, unknown];
}

/** The first key that decides the parameters and that two experiments differ in. */
export const firstDifference = (a: Experiment, b: Experiment): Difference | undefined =>
  differenceOf(identityOf(a), identityOf(b));

/** The first key that two nested values differ in, whatever the order of their keys. */
export function differenceOf(a: unknown, b: unknown): Difference | undefined {
  const [left, right] = [a, b].map((value) => new Map(leaves(value)));
  const key = [...left.keys(), ...right.keys()].find((name) => left.get(name) !== right.get(name));
  return key === undefined ? undefined : { key, values: [left.get(key), right.get(key)] };
}

/** Values that hold no others, by dotted path, sorted, so that the order of keys is no difference. */
export function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const inner = Object.entries(value).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
  return inner.toSorted(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0));
}
