import type { Backend } from '@flow-matching/core';
import { isInstalled } from './native/binding.ts';
import { NativeBackend } from './native/nativeBackend.ts';

/** Engines, best first: TensorFlow itself with and without CUDA. */
export const tfjsEngines = ['node-gpu', 'node'] as const;
export type TfjsEngine = (typeof tfjsEngines)[number];

export interface TfjsOptions {
  /** Default: the best one that is installed. */
  readonly engine?: TfjsEngine;
}

const packages = { 'node-gpu': '@tensorflow/tfjs-node-gpu', node: '@tensorflow/tfjs-node' } as const;

/**
 * The backend on TensorFlow. The first graph that is compiled starts its threads.
 *
 * @throws BackendError where the engine is not installed, or does not load, or has no GPU where one is asked for.
 */
export function tfjs({ engine }: TfjsOptions = {}): Backend {
  const chosen = engine ?? tfjsEngines.find((each) => isInstalled(packages[each])) ?? 'node';
  return new NativeBackend(packages[chosen]);
}
