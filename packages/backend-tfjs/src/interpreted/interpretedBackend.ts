import { handleBackend, type Backend } from '@flow-matching/tensor';
import { engineKinds, startEngine } from './engines/index.ts';
import type { EngineOptions, InterpretedEngineName, StartedEngine } from './engines/engine.ts';
import { readValue, uploadValue, type DeviceValue } from './deviceValue.ts';
import { InterpretedProgram } from './interpretedProgram.ts';
import { describeFallbacks, manifestOf, tableOf } from './lowering/index.ts';

/**
 * Graphs run operator by operator by the kernels of one of TensorFlow.js's engines, which are called without TensorFlow.js's own engine
 * of the moment: several can be in use at once. Memory is freed as soon as its last use has run.
 *
 * @throws BackendError where the engine cannot run here, is not installed, does not start, or runs with other options.
 */
export async function interpretedBackend(name: InterpretedEngineName, options: EngineOptions = {}): Promise<Backend> {
  return backendOn(await startEngine(name, options));
}

/** The backend whose graphs a running engine's kernels compute. */
export function backendOn(engine: StartedEngine): Backend {
  const operators = tableOf(engine.kind);
  const manifest = manifestOf(operators);
  return handleBackend<DeviceValue>({
    name: 'tfjs',
    device: engine.device,
    manifest,
    memory: engine,
    upload: (source) => uploadValue(engine, source),
    read: (held, type) => readValue(engine, held, type),
    retain: ({ value }) => engine.backend.incRef(value.dataId),
    release: ({ value }) => void engine.backend.disposeData(value.dataId),
    compile: (graph) => new InterpretedProgram(engine, operators, manifest, graph),
  });
}

/** A readable list of the operators that have no kernel of their own on an engine. */
export const engineFallbacks = (name: InterpretedEngineName): string => describeFallbacks(engineKinds[name]);
