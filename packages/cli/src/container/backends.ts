import { createReferenceBackend, defineBackend, type Backend } from '@flow-matching/core';
import * as z from 'zod';

/** The definition of the operators: right and slow. */
export const reference = defineBackend({
  name: 'reference',
  summary: 'Interpreted in f64 in this process: slow, and the definition of the operators',
  create: createReferenceBackend,
});

/** Imported when it is asked for, so that the command works, and can say what is missing, where its runtime does not load. */
export const onnx = defineBackend({
  name: 'onnx',
  summary: 'ONNX Runtime on this machine',
  options: z.strictObject({
    /** Threads that share the work of one operator; by default as many as the processors this process may use. */
    threads: z.int().positive().exactOptional(),
    /** Threads without work spin instead of sleeping. */
    spinning: z.boolean().default(false),
    graphOptimization: z.enum(['disabled', 'basic', 'extended', 'all']).default('all'),
    /** Further options of ONNX Runtime's sessions: executionProviders, … */
    session: z.record(z.string(), z.unknown()).exactOptional(),
  }),
  create: async (options) => (await import('@flow-matching/backend-onnx')).onnx(options),
});

/** Imported when it is asked for, as onnx is. */
export const tfjs = defineBackend({
  name: 'tfjs',
  summary: 'TensorFlow on this machine, by the addon of tfjs-node, or an engine of TensorFlow.js',
  options: z.strictObject({
    /** By default the first of them that is there. */
    engine: z.enum(['node-gpu', 'node', 'webgpu', 'webgl', 'wasm', 'cpu']).exactOptional(),
    /** Threads of the wasm engine; by default as many as the processors this process may use. */
    threads: z.int().positive().exactOptional(),
  }),
  create: async (options) => (await import('@flow-matching/backend-tfjs')).tfjs(options),
});

/** Imported when it is asked for, as onnx is. */
export const webgpu = defineBackend({
  name: 'webgpu',
  summary: 'Kernels in WGSL on any GPU, by WebGPU (Dawn)',
  options: z.strictObject({
    powerPreference: z.enum(['low-power', 'high-performance']).exactOptional(),
    /** Kernels for GPUs or for processors; by default as the adapter is. */
    kernels: z.enum(['gpu', 'processor']).exactOptional(),
    /** Options of Dawn: backend=vulkan, adapter=SwiftShader, … */
    dawn: z.array(z.string()).exactOptional(),
  }),
  create: async (options): Promise<Backend> => (await import('@flow-matching/backend-webgpu/node')).webgpu(options),
});

export const backends = [reference, onnx, tfjs, webgpu];
