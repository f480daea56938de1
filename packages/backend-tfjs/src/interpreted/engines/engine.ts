import type { DType } from '@flow-matching/core';
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** Engines of TensorFlow.js that run graphs operator by operator, best first. */
export const interpretedEngines = ['webgpu', 'webgl', 'wasm', 'cpu'] as const;
export type InterpretedEngineName = (typeof interpretedEngines)[number];

export interface EngineOptions {
  /** Threads of the wasm engine. Default: as many as there are processors. */
  readonly threads?: number;
  /** The folder, as a URL, from which a page fetches the files of the wasm engine. Default: beside the page's script. */
  readonly wasmPath?: string;
}

/** An operator that the engine's own kernels do not serve for some dtypes, and why. */
export interface Unfit {
  readonly dtypes: readonly DType[];
  readonly reason: string;
}

/** What is known of an engine before it starts. */
export interface EngineKind {
  readonly name: InterpretedEngineName;
  /**
   * Whether elements lie in this process's memory. What the engine's kernels do not serve is then computed in JavaScript, by the
   * definition of the operator; on other engines it is not declared.
   */
  readonly onHost: boolean;
  /** Operators that are made of others because their kernel is wrong or slow, and why. */
  readonly decomposed: Readonly<Record<string, string>>;
  /** Operators without a kernel that is right, by name. */
  readonly unfit: Readonly<Record<string, Unfit>>;
  /** Axes that its kernels know; operators on tensors of more are computed by their definition. */
  readonly mostAxes?: number;
  /** Why it cannot run in these surroundings, as far as that shows without starting it. */
  absent(): string | undefined;
  /** @throws BackendError where it does not start, or runs with other options already. */
  start(options: EngineOptions): Promise<StartedEngine>;
}

/** An engine that runs. Its memory is one for the process: backends on one engine share arrays. */
export interface StartedEngine {
  readonly kind: EngineKind;
  /** For people. */
  readonly device: string;
  readonly backend: KernelBackend;
  /** The elements of a value where they lie, for reading only; engines on the host have it. */
  readonly elements: (value: TensorInfo) => ArrayLike<number>;
  /** Why it can no longer be used, once it broke down. */
  lost?: string;
}
