import { BackendError } from '@flow-matching/tensor';
import { isMainThread } from 'node:worker_threads';

const variable = 'ORT_DISABLE_TELEMETRY';

/** Longest wait for a main thread that answers to nothing, in milliseconds. */
const timeout = 30_000;

/**
 * Turns ONNX Runtime's telemetry off for this process, unless it has the variable ORT_DISABLE_TELEMETRY already. ONNX Runtime reads the
 * variable from the process itself when the first session is created, so in a worker, whose `process.env` is a copy, the main thread sets it.
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

/** Sets the variable in the main thread, where it has none, through Node's inspector, which reaches threads that are waiting or busy too. */
async function setInMainThread(value: string): Promise<boolean> {
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    try {
      return await new Promise<boolean>((resolve) => {
        // It also keeps the worker alive: a session does not.
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
    // A Node without inspector, or one whose permissions do not include it.
    return false;
  }
}

/** Whether the process has the variable, seen past the copy that a worker gets. */
function isSetInProcess(): boolean {
  const { environmentVariables } = process.report.getReport() as { environmentVariables?: Record<string, string> };
  return environmentVariables?.[variable] !== undefined;
}
