import {
  bindFlow,
  FILES,
  Flow,
  PluginRegistry,
  type Backend,
  type Dataset,
  type Optimizer,
  type VectorFieldModel,
} from '@flow-matching/core';
import { Container } from 'inversify';
import { nodeFiles } from '../container/nodeFiles.ts';
import type { Experiment } from './experiment.ts';
import { readExperiment, type Setting } from './experimentSource.ts';
import { resolveExperiment, type ResolvedExperiment } from './resolveExperiment.ts';

/** An experiment with its container: a child of the root that knows its plugin modules and its files. */
export interface LoadedExperiment extends ResolvedExperiment {
  readonly container: Container;
}

/** Reads and checks an experiment file. Nothing is built yet. @throws ExperimentError, UsageError, FileError, PluginError. */
export async function loadExperiment(
  root: Container,
  file: string,
  settings: readonly Setting[] = [],
): Promise<LoadedExperiment> {
  const source = await readExperiment(file, settings);
  const container = new Container({ parent: root });
  const resolved = await resolveExperiment(source, container);
  container.bind(FILES).toConstantValue(nodeFiles(resolved.directory));
  return { ...resolved, container };
}

/** What an experiment is made of, ready to run. Disposing frees the flow and its backend. */
export interface AssembledExperiment extends AsyncDisposable {
  readonly experiment: Experiment;
  readonly registry: PluginRegistry;
  readonly flow: Flow;
  readonly backend: Backend;
  readonly data: Dataset;
  readonly optimizer: Optimizer;
  readonly model: VectorFieldModel;
}

/** Builds the parts and binds them to their roles. @throws DataError, BackendError, OptionError: what the parts throw. */
export async function assembleExperiment({ experiment, container }: LoadedExperiment): Promise<AssembledExperiment> {
  const registry = new PluginRegistry(container);
  const data: Dataset = await registry.build('dataset', experiment.data);
  const optimizer: Optimizer = registry.build('optimizer', experiment.optimizer);
  const model: VectorFieldModel = registry.build('model', experiment.model);
  const backend: Backend = await registry.build('backend', experiment.backend);
  await bindFlow(container, {
    backend,
    path: registry.build('path', experiment.path),
    coupling: registry.build('coupling', experiment.coupling),
    objective: registry.build('objective', experiment.objective),
    timeSampler: registry.build('timeSampler', experiment.timeSampler),
    model,
    solver: registry.build('solver', experiment.solver),
  });
  const flow = container.get(Flow);
  return {
    experiment,
    registry,
    flow,
    backend,
    data,
    optimizer,
    model,
    async [Symbol.asyncDispose]() {
      await flow.dispose();
      await backend.dispose();
    },
  };
}
