import { BackendError } from '@flow-matching/core';
import type { InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';

/** The part of onnxruntime-node that is used. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

let loading: Promise<Runtime> | undefined;

/**
 * ONNX Runtime's native binding, loaded once. Its telemetry client stays off unless the user has set ORT_DISABLE_TELEMETRY: it
 * is read when the binding loads.
 *
 * @throws BackendError that says how to install it.
 */
export function loadRuntime(): Promise<Runtime> {
  return (loading ??= load());
}

async function load(): Promise<Runtime> {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    // A later call may find a package installed in the meantime.
    loading = undefined;
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
