import { BackendError } from '@flow-matching/tensor';
import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { cpu } from './cpu.ts';
import type { EngineKind, EngineOptions, InterpretedEngineName, StartedEngine } from './engine.ts';
import { wasm } from './wasm.ts';
import { webgl } from './webgl.ts';
import { webgpu } from './webgpu.ts';

export const engineKinds: Readonly<Record<InterpretedEngineName, EngineKind>> = { webgpu, webgl, wasm, cpu };

interface Start {
  readonly options: EngineOptions;
  readonly engine: Promise<StartedEngine>;
}

/** Kernels keep state of their engine in module variables, so there is one engine of each kind per process, and it stays. */
const started = new Map<InterpretedEngineName, Start>();

/**
 * The engine with this name, started if necessary.
 *
 * @throws BackendError if it cannot run here, is not installed, does not start, or runs with other options.
 */
export async function startEngine(name: InterpretedEngineName, options: EngineOptions): Promise<StartedEngine> {
  const kind = engineKinds[name];
  const reason = kind.absent();
  if (reason !== undefined) {
    throw new BackendError(`TensorFlow.js's ${name} engine cannot run: ${reason}.`, {
      actual: name,
      expected: 'an engine for this environment',
      remedy: 'Choose another engine.',
    });
  }
  const { threads } = options;
  const known = started.get(name);
  if (known) {
    if (threads !== undefined && threads !== known.options.threads) {
      const { device } = await known.engine;
      throw new BackendError(`The ${name} engine is already running, but not with ${threads} threads.`, {
        actual: threads,
        expected: `the running engine's options: ${device}`,
      });
    }
    return known.engine;
  }
  const engine = begin(kind, options);
  started.set(name, { options, engine });
  // A failed start may be retried.
  engine.catch(() => started.delete(name));
  return engine;
}

async function begin(kind: EngineKind, options: EngineOptions): Promise<StartedEngine> {
  const engine = await kind.start(options);
  for (const { setupFunc } of getKernelsForBackend(kind.name)) setupFunc?.(engine.backend);
  return engine;
}
