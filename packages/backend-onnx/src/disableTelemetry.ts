import { BackendError } from '@flow-matching/tensor';
import { isMainThread } from 'node:worker_threads';

const variable = 'ORT_DISABLE_TELEMETRY';

/** Timeout for a main thread that does not respond, in milliseconds. */
const timeout = 30_000;

/**
 * Turns ONNX Runtime's telemetry off for this process, unless the variable ORT_DISABLE_TELEMETRY is already set. ONNX Runtime
 * reads the variable from the process when the first session is created. In a worker `process.env` is a copy, so the main
 * thread sets it.
 *
 * @throws BackendError in a worker from which the variable cannot be set.
 */
export async function disableTelemetry(): Promise<void> {
  process.env[variable] ??= '1';
  if (isMainThread || (await setInMainThread(process.env[variable])) || isSetInProcess()) return;
  throw new BackendError("A worker thread cannot turn off ONNX Runtime's telemetry here.", {
    expected: `the variable ${variable} in the environment of the process`,
    remedy: `Set ${variable}=1 before Node starts, or process.env.${variable} in the main thread before the worker uses the backend.`,
  });
}

/** Sets the variable in the main thread, if unset, through Node's inspector, which also reaches waiting or busy threads. */
async function setInMainThread(value: string): Promise<boolean> {
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    try {
      return await new Promise<boolean>((resolve) => {
        // It also keeps the worker alive, unlike a session.
        const timer = setTimeout(() => resolve(false), timeout);
        const expression = `globalThis.process.env.${variable} ??= ${JSON.stringify(value)}`;
        session.post('Runtime.evaluate', { expression }, (error, answer) => {
          clearTimeout(timer);
          resolve(error === null && answer.exceptionDetails === undefined);
        });
      });
    } finally {
      session.disconnect();
    }
  } catch {
    // Node without the inspector, or without permission to use it.
    return false;
  }
}

/** Whether the variable is set in the process itself, not in a worker's copy. */
function isSetInProcess(): boolean {
  const { environmentVariables } = process.report.getReport() as { environmentVariables?: Record<string, string> };
  return environmentVariables?.[variable] !== undefined;
}
