import type { ServiceIdentifier } from 'inversify';
import type { Backend } from '@flow-matching/tensor';
import type { Coupling } from '../contracts/coupling.ts';
import type { Dataset } from '../contracts/dataset.ts';
import type { Estimator } from '../contracts/estimator.ts';
import type { VectorFieldModel } from '../contracts/model.ts';
import type { Objective, TimeSampler } from '../contracts/objective.ts';
import type { Optimizer, Schedule } from '../contracts/optimizer.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';

/** Everything that a plugin can supply. */
export interface PluginKinds {
  path: Path;
  coupling: Coupling;
  objective: Objective;
  timeSampler: TimeSampler;
  model: VectorFieldModel;
  solver: Solver;
  estimator: Estimator;
  optimizer: Optimizer;
  schedule: Schedule;
  /** A promise if the data is read from a file. */
  dataset: Dataset | Promise<Dataset>;
  /** A promise if the runtime is loaded on demand. */
  backend: Backend | Promise<Backend>;
}
export type PluginKind = keyof PluginKinds;

/** Kinds in the order of an experiment file. */
export const pluginKinds: readonly PluginKind[] = [
  'dataset',
  'path',
  'coupling',
  'objective',
  'timeSampler',
  'model',
  'optimizer',
  'schedule',
  'solver',
  'estimator',
  'backend',
];

/** The token under which all plugins of a kind are bound, without names. */
export const kindToken = (kind: PluginKind): symbol => Symbol.for(`@flow-matching/kind/${kind}`);

/** File access provided by the environment, so that core and plugins do not depend on Node. */
export interface Files {
  /** @throws DataError if the file cannot be read. */
  read(path: string): Promise<Uint8Array>;
}
export const FILES: ServiceIdentifier<Files> = Symbol.for('@flow-matching/service/files');
