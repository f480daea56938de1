import type { ProgramFacts } from './programFacts.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

/** What the bench asks a framework's process. */
export type Question =
  | { readonly do: 'prepare'; readonly work: WebgpuWork }
  | { readonly do: 'measure'; readonly timings: number }
  | { readonly do: 'check' | 'release' };

export interface Answer {
  readonly error?: string;
  /** The adapter as the framework sees it. */
  readonly description?: string;
  readonly facts?: ProgramFacts | undefined;
  readonly milliseconds?: readonly number[];
  /** Of all threads of the process together. */
  readonly processorMilliseconds?: readonly number[];
  readonly check?: number;
}
