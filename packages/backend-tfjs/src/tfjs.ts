import { BackendError, OptionError, type Backend } from '@flow-matching/tensor';
import { engineKinds } from './interpreted/engines/index.ts';
import { interpretedEngines, type EngineOptions, type InterpretedEngineName } from './interpreted/engines/engine.ts';
import { interpretedBackend } from './interpreted/interpretedBackend.ts';
import { isNode } from './isNode.ts';

const nativeEngines = ['node-gpu', 'node'] as const;
type NativeEngineName = (typeof nativeEngines)[number];

/** Engines, best first: TensorFlow itself with and without CUDA, then those of TensorFlow.js that run graphs operator by operator. */
export const tfjsEngines = [...nativeEngines, ...interpretedEngines] as const;
export type TfjsEngine = (typeof tfjsEngines)[number];

export interface TfjsOptions extends EngineOptions {
  /** Default: the best one available. A named engine is used, or an error is thrown. */
  readonly engine?: TfjsEngine;
}

const packages = { 'node-gpu': '@tensorflow/tfjs-node-gpu', node: '@tensorflow/tfjs-node' } as const;

const isNative = (engine: TfjsEngine): engine is NativeEngineName => engine in packages;

/**
 * The backend on TensorFlow; `device` names the engine.
 *
 * @throws BackendError if the engine is not installed, cannot run here, does not start, or has no GPU although one is
 *   requested; OptionError for an option that the engine does not support.
 */
export async function tfjs({ engine, ...options }: TfjsOptions = {}): Promise<Backend> {
  const chosen = engine ?? (await bestEngine());
  checkOptions(chosen, options);
  if (!isNative(chosen)) return interpretedBackend(chosen, options);
  if (!isNode()) {
    throw new BackendError(`The engine ${chosen} runs in Node.`, {
      actual: chosen,
      expected: interpretedEngines.join(' or '),
    });
  }
  // Loaded here, so that a page never requests it.
  const { NativeBackend } = await import('./native/nativeBackend.ts');
  return new NativeBackend(packages[chosen]);
}

/** The first engine that is installed. An installed engine that does not start is an error, not a reason to use a slower one. */
async function bestEngine(): Promise<TfjsEngine> {
  if (isNode()) {
    const { isInstalled } = await import('./native/binding.ts');
    const native = nativeEngines.find((name) => isInstalled(packages[name]));
    if (native) return native;
  }
  return interpretedEngines.find((name) => engineKinds[name].absent() === undefined)!;
}

const takers: Readonly<Record<keyof EngineOptions, InterpretedEngineName>> = { threads: 'wasm', wasmPath: 'wasm' };

function checkOptions(engine: TfjsEngine, options: EngineOptions): void {
  for (const [option, taker] of Object.entries(takers)) {
    if (options[option as keyof EngineOptions] === undefined || engine === taker) continue;
    throw new OptionError(`The option ${option} belongs to the ${taker} engine.`, {
      actual: engine,
      expected: `the engine ${taker}, or no option ${option}`,
    });
  }
}
