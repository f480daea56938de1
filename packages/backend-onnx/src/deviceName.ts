import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-common';

/** What sessions with these options run on, for display: the execution providers in their order, and the threads of the CPU's. */
export function deviceName({
  executionProviders = ['cpu'],
  intraOpNumThreads,
}: InferenceSession.SessionOptions): string {
  const names = executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name));
  // ONNX Runtime falls back to it wherever the others lack an operator.
  const providers = names.includes('cpu') ? names : [...names, 'cpu'];
  // ONNX Runtime takes 0 for all processors.
  const threads = intraOpNumThreads || availableParallelism();
  return `${providers.join(', ')}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
