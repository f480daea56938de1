import { defineBackend } from '@flow-matching/core';
import { createReferenceBackend, type Backend, largestCount, largestThreadCount } from '@flow-matching/tensor';
import * as z from 'zod';

/** The definition of the operators: correct and slow. */
export const reference = defineBackend({
  name: 'reference',
  summary: 'Interpreted in f64 in this process: slow, and the definition of the operators',
  create: createReferenceBackend,
});

const executionProvider = z.enum(['cpu', 'cuda', 'coreml', 'dml', 'tensorrt', 'webgpu']);

/**
 * Session options of ONNX Runtime that an experiment may set: those that neither write files (optimized models, profiles,
 * provider caches) nor load libraries, since an experiment in YAML is data.
 */
const sessionOptions = z.strictObject({
  executionProviders: z
    .array(
      z.union([
        executionProvider,
        z.strictObject({ name: executionProvider, deviceId: z.int().nonnegative().max(largestCount).exactOptional() }),
      ]),
    )
    .exactOptional(),
  executionMode: z.enum(['sequential', 'parallel']).exactOptional(),
  interOpNumThreads: z.int().positive().max(largestThreadCount).exactOptional(),
  enableCpuMemArena: z.boolean().exactOptional(),
  enableMemPattern: z.boolean().exactOptional(),
  /** 0 verbose to 4 fatal. */
  logSeverityLevel: z.literal([0, 1, 2, 3, 4]).exactOptional(),
});

/** Imported on demand, so that the command works and can report what is missing if the runtime does not load. */
export const onnx = defineBackend({
  name: 'onnx',
  summary: 'ONNX Runtime on this machine',
  options: z.strictObject({
    threads: z
      .int()
      .positive()
      .max(largestThreadCount)
      .exactOptional()
      .describe('Threads per operator; by default one per available processor'),
    spinning: z.boolean().default(false).describe('Let idle threads spin instead of sleep'),
    graphOptimization: z
      .enum(['disabled', 'basic', 'extended', 'all'])
      .default('all')
      .describe("Level of ONNX Runtime's own graph optimizations"),
    session: sessionOptions.exactOptional().describe('Session options of ONNX Runtime, such as executionProviders'),
  }),
  create: async (options) => (await import('@flow-matching/backend-onnx')).onnx(options),
});

/** Imported on demand, like onnx. */
export const tfjs = defineBackend({
  name: 'tfjs',
  summary: 'TensorFlow on this machine, by the addon of tfjs-node, or an engine of TensorFlow.js',
  options: z.strictObject({
    engine: z
      .enum(['node-gpu', 'node', 'webgpu', 'webgl', 'wasm', 'cpu'])
      .exactOptional()
      .describe('Engine to run on; by default the first of these that works'),
    threads: z
      .int()
      .positive()
      .max(largestThreadCount)
      .exactOptional()
      .describe('Threads of the wasm engine; by default one per available processor'),
  }),
  create: async (options) => (await import('@flow-matching/backend-tfjs')).tfjs(options),
});

/** Imported on demand, like onnx. */
export const webgpu = defineBackend({
  name: 'webgpu',
  summary: 'Kernels in WGSL on any GPU, by WebGPU (Dawn)',
  options: z.strictObject({
    powerPreference: z
      .enum(['low-power', 'high-performance'])
      .exactOptional()
      .describe('Which GPU to prefer where there are several'),
    kernels: z
      .enum(['gpu', 'processor'])
      .exactOptional()
      .describe('Kernels written for GPUs or for processors; by default chosen by the adapter'),
    dawn: z.array(z.string()).exactOptional().describe('Options of Dawn, such as backend=vulkan'),
  }),
  create: async (options): Promise<Backend> => (await import('@flow-matching/backend-webgpu/node')).webgpu(options),
});

export const backends = [reference, onnx, tfjs, webgpu];
