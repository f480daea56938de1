import type { DType } from '@flow-matching/tensor';
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** Engines of TensorFlow.js that run graphs operator by operator, best first. */
export const interpretedEngines = ['webgpu', 'webgl', 'wasm', 'cpu'] as const;
export type InterpretedEngineName = (typeof interpretedEngines)[number];

export interface EngineOptions {
  /** Threads of the wasm engine. Default: the number of processors. */
  readonly threads?: number;
  /** The folder, as a URL, from which a page fetches the files of the wasm engine. Default: that of the page's script. */
  readonly wasmPath?: string;
}

/** An operator that the engine's own kernels compute wrongly for some dtypes, and why. */
export interface Unfit {
  readonly dtypes: readonly DType[];
  readonly reason: string;
}

/** The static description of an engine. */
export interface EngineKind {
  readonly name: InterpretedEngineName;
  /**
   * Whether elements lie in this process's memory. Operators that the engine's kernels cannot compute are then computed in
   * JavaScript, by their definition; other engines do not declare them.
   */
  readonly onHost: boolean;
  /** Operators that are composed of others because their kernel is wrong or slow, and why. */
  readonly decomposed: Readonly<Record<string, string>>;
  /** Operators without a correct kernel, by name. */
  readonly unfit: Readonly<Record<string, Unfit>>;
  /** Inaccuracies of operators that are not {@link unfit}, for display. */
  readonly caveat?: string;
  /** The highest rank its kernels support; operators on tensors of higher rank are computed by their definition. */
  readonly mostAxes?: number;
  /** Why it cannot run in this environment, as far as is known without starting it. */
  absent(): string | undefined;
  /** @throws BackendError if it does not start, or already runs with other options. */
  start(options: EngineOptions): Promise<StartedEngine>;
}

/** A running engine. Its memory belongs to the process: backends on one engine share arrays. */
export interface StartedEngine {
  readonly kind: EngineKind;
  /** For display. */
  readonly device: string;
  readonly backend: KernelBackend;
  /** The elements of a value in place, read-only; only for engines on the host. */
  readonly elements: (value: TensorInfo) => ArrayLike<number>;
  /** Why it can no longer be used, once it has failed. */
  lost?: string;
}
