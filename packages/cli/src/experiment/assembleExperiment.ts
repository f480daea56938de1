import {
  bindFlow,
  contextOf,
  FILES,
  Flow,
  PluginRegistry,
  type Dataset,
  type Optimizer,
  type TrainingOptions,
  type VectorFieldModel,
} from '@flow-matching/core';
import { type Backend } from '@flow-matching/tensor';
import { Container } from 'inversify';
import { nodeFiles } from '../container/nodeFiles.ts';
import { recordingFiles, type FileRecord } from '../container/recordingFiles.ts';
import type { Experiment } from './experiment.ts';
import { readExperiment, type Setting } from './experimentSource.ts';
import { checkTrainingMemory } from '../run/memory.ts';
import { resolveExperiment, type ResolvedExperiment } from './resolveExperiment.ts';

/** An experiment with its container: a child of the root with its plugin modules and its files. */
export interface LoadedExperiment extends ResolvedExperiment {
  readonly container: Container;
  /** The files that its parts have read so far, by their paths in the experiment. */
  readonly files: ReadonlyMap<string, FileRecord>;
}

/**
 * Reads and checks an experiment file. Builds nothing.
 *
 * @param checkPlugins is called with the plugin modules that the file names before they are loaded, and may throw.
 * @throws ExperimentError, UsageError, FileError, PluginError.
 */
export async function loadExperiment(
  root: Container,
  file: string,
  settings: readonly Setting[] = [],
  checkPlugins?: (plugins: readonly string[]) => void,
): Promise<LoadedExperiment> {
  const source = await readExperiment(file, settings);
  const container = new Container({ parent: root });
  const resolved = await resolveExperiment(source, container, checkPlugins);
  const { files, records } = recordingFiles(nodeFiles(resolved.directory));
  container.bind(FILES).toConstantValue(files);
  return { ...resolved, container, files: records };
}

/** The parts for sampling and scoring. Disposing frees the flow and its backend. */
export interface AssembledFlow extends AsyncDisposable {
  readonly experiment: Experiment;
  readonly registry: PluginRegistry;
  readonly flow: Flow;
  readonly backend: Backend;
  readonly model: VectorFieldModel;
}

/** The parts for training, too. */
export interface AssembledExperiment extends AssembledFlow {
  readonly data: Dataset;
  readonly training: TrainingOptions;
}

/**
 * Builds everything and binds the parts to their roles.
 *
 * @throws MemoryError before the backend is started, if the training does not fit; DataError, BackendError or OptionError from
 *   the parts.
 */
export async function assembleExperiment(loaded: LoadedExperiment): Promise<AssembledExperiment> {
  const registry = new PluginRegistry(loaded.container);
  const data: Dataset = await registry.build('dataset', loaded.experiment.data);
  const optimizer: Optimizer = registry.build('optimizer', loaded.experiment.optimizer);
  const model: VectorFieldModel = registry.build('model', loaded.experiment.model);
  const { seed, training } = loaded.experiment;
  const { batchSize, ema } = training;
  const context = contextOf(data, await data.batch({ index: 0, size: 1, seed }));
  checkTrainingMemory({ model, context, optimizer, batchSize, ema: ema !== undefined });
  return { ...(await assembleFlow(loaded)), data, training: { ...training, optimizer, seed } };
}

/** Like {@link assembleExperiment}, without the parts that only training needs: the data is not read. */
export async function assembleFlow({ experiment, container }: LoadedExperiment): Promise<AssembledFlow> {
  const registry = new PluginRegistry(container);
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
    model,
    async [Symbol.asyncDispose]() {
      await flow.dispose();
      await backend.dispose();
    },
  };
}
