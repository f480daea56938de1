import type { HostArray } from '@flow-matching/tensor';
import type { PreparedWork } from '../subject.ts';
import type { ProgramFacts } from './programFacts.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

/** A framework on WebGPU, in the process of its own in which it was loaded. */
export interface Contestant {
  /** The adapter and versions, for people. */
  readonly description: string;
  prepare(work: WebgpuWork): Promise<PreparedContest>;
}

export interface PreparedContest extends Omit<PreparedWork, 'measure'> {
  /** One operation; every training step ends with its loss read. A chain of products is read once, at its end. */
  run(operations: number): Promise<void>;
  /** What the work was compiled to, where that can be known. */
  readonly facts?: ProgramFacts | undefined;
}

/** Square matrices of a chain x·w·w…, whose elements keep their size. */
export interface ProductInputs {
  readonly x: HostArray;
  readonly w: HostArray;
}

/** The points of a step. */
export type NextBatch = () => Promise<Float32Array>;
