import { BackendError } from '@flow-matching/tensor';
import type { InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import { disableTelemetry } from './disableTelemetry.ts';

/** The part of onnxruntime-node used here. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

let loading: Promise<Runtime> | undefined;

/**
 * ONNX Runtime's native binding, loaded once, with its telemetry off unless the user has set ORT_DISABLE_TELEMETRY.
 *
 * @throws BackendError that says how to install it, or from {@link disableTelemetry} if telemetry would stay on.
 */
export function loadRuntime(): Promise<Runtime> {
  // By the time of a later call, the package may be installed or the variable set.
  return (loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  }));
}

async function load(): Promise<Runtime> {
  await disableTelemetry();
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new BackendError(
      `ONNX Runtime does not load on ${process.platform} ${process.arch}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        remedy:
          'Install it with `npm install onnxruntime-node`; its binaries are for Linux x64 and arm64 (glibc), macOS arm64 and Windows x64 and arm64 (with the Visual C++ redistributable).',
        cause,
      },
    );
  }
}
