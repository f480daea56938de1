import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-common';

/** The device of sessions with these options, for display: the execution providers in order, and the threads of the CPU provider. */
export function deviceName({
  executionProviders = ['cpu'],
  intraOpNumThreads,
}: InferenceSession.SessionOptions): string {
  const names = executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name));
  // ONNX Runtime falls back to it if the others lack an operator.
  const providers = names.includes('cpu') ? names : [...names, 'cpu'];
  // For ONNX Runtime, 0 means all processors.
  const threads = intraOpNumThreads || availableParallelism();
  return `${providers.join(', ')}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
