import { availableParallelism } from 'node:os';
import { checkInteger, HandleBackend, largestThreadCount, type HostArray } from '@flow-matching/tensor';
import type { InferenceSession } from 'onnxruntime-common';
import { deviceName } from './deviceName.ts';
import { manifest } from './lowering/index.ts';
import { BorrowedMemory, Memory } from './memory.ts';
import { MemoryPool } from './memoryPool.ts';
import { OnnxProgram } from './onnxProgram.ts';

export interface OnnxOptions {
  /** Number of threads per operator. The last bits of results depend on it. Default: the number of processors available to this process. */
  readonly threads?: number;
  /** ONNX Runtime's level of graph optimization. Default 'all'. */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * Whether `bind` compiles a separate session in which the bound arrays are constants, packed for the kernels in advance.
   * Measured on a 5×512 network: 25 to 35 % faster up to 64 rows and 5 to 15 % at 256, at a cost of 70 to 90 ms per bind; the
   * last bits of results differ. Default false.
   */
  readonly prepack?: boolean;
  /**
   * Whether idle threads spin instead of sleeping. It saves microseconds between small kernels on dedicated processors, but
   * slows down other processes: on two shared virtual processors it made sampling 256 points a quarter to a half slower.
   * Default false.
   */
  readonly spinning?: boolean;
  /** Further session options of ONNX Runtime, which override those above. */
  readonly session?: InferenceSession.SessionOptions;
}

/** Runs graphs as ONNX Runtime sessions on this machine. Host arrays are read in place during a run. */
export class OnnxBackend extends HandleBackend<Memory> {
  constructor({
    threads = availableParallelism(),
    graphOptimization = 'all',
    prepack = false,
    spinning = false,
    session = {},
  }: OnnxOptions = {}) {
    checkInteger(`${threads} threads cannot run anything.`, threads, { largest: largestThreadCount });
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      graphOptimizationLevel: graphOptimization,
      // Only fatal messages: warnings come from the optimizer, and errors are thrown.
      logSeverityLevel: 4,
      ...session,
      extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } }, ...session.extra },
    };
    const pool = new MemoryPool();
    super({
      name: 'onnx',
      device: deviceName(options),
      manifest,
      // Memory of this process, which every session reads.
      memory: Memory,
      order: 'program',
      upload({ data, shape, dtype }: HostArray) {
        const memory = pool.take({ shape, dtype });
        memory.data.set(data);
        return memory;
      },
      borrow: (source) => new BorrowedMemory(source),
      read: ({ data }) => data.slice(),
      free: (memory) => pool.give(memory),
      compile: (graph, { aliases }) => OnnxProgram.create(graph, { aliases }, { session: options, prepack, pool }),
      dispose: () => pool.close(),
    });
  }
}

/** The backend on ONNX Runtime, which is loaded when the first graph is compiled. */
export const onnx = (options?: OnnxOptions): OnnxBackend => new OnnxBackend(options);
