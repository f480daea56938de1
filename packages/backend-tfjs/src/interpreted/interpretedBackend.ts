import { handleBackend, type Backend } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { engineFailure } from './engineFailure.ts';
import { engineKinds, startEngine } from './engines/index.ts';
import type { EngineOptions, InterpretedEngineName, StartedEngine } from './engines/engine.ts';
import { InterpretedProgram } from './interpretedProgram.ts';
import { describeFallbacks, manifestOf, tableOf } from './lowering/index.ts';
import { inStorage, upload } from './operations.ts';

/**
 * Runs graphs operator by operator with the kernels of one of TensorFlow.js's engines. They are called independently of
 * TensorFlow.js's current global engine, so several can be in use at once. Memory is freed after its last use.
 *
 * @throws BackendError where the engine cannot run here, is not installed, does not start, or runs with other options.
 */
export async function interpretedBackend(name: InterpretedEngineName, options: EngineOptions = {}): Promise<Backend> {
  return backendOn(await startEngine(name, options));
}

/** The backend of a running engine. */
export function backendOn(engine: StartedEngine): Backend {
  const operators = tableOf(engine.kind);
  const manifest = manifestOf(operators);
  return handleBackend<TensorInfo>({
    name: 'tfjs',
    device: engine.device,
    manifest,
    memory: engine,
    upload: (source) => upload(engine, source),
    read: async ({ dataId }, { dtype }) =>
      inStorage((await engine.backend.read(dataId)) as Float32Array, dtype).slice(),
    free: ({ dataId }) => void engine.backend.disposeData(dataId),
    failure: () => engineFailure(engine),
    compile: (graph) => new InterpretedProgram(engine, operators, manifest, graph),
  });
}

/** A readable list of the operators without a kernel on an engine. */
export const engineFallbacks = (name: InterpretedEngineName): string => describeFallbacks(engineKinds[name]);
