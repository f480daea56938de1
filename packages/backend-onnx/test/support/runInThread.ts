// Runs a graph on the backend in the thread that the argument names. Prints the result, or the error's code and message, and what the
// process itself, rather than a worker's copy, has for ORT_DISABLE_TELEMETRY.
import { isMainThread, SHARE_ENV, Worker, workerData } from 'node:worker_threads';
import { f32, FlowMatchingError, hostArray, trace } from '@flow-matching/tensor';
import { onnx } from '@flow-matching/backend-onnx';

export type Thread =
  'main' | 'worker' | 'worker that shares the environment' | 'worker of a worker, with an environment of its own';

const environments: Partial<Record<Thread, NodeJS.ProcessEnv | typeof SHARE_ENV>> = {
  'worker of a worker, with an environment of its own': { ORT_DISABLE_TELEMETRY: '1' },
  'worker that shares the environment': SHARE_ENV,
};

async function double(): Promise<number> {
  await using backend = onnx({ threads: 1 });
  const executable = await backend.compile(trace(({ x }) => ({ y: x.add(x) }), { x: f32([1]) }));
  const { y } = await executable.run({ x: hostArray([21]) });
  return (await y.read())[0];
}

async function report(): Promise<void> {
  const result = await double().catch((error: unknown) => {
    if (error instanceof FlowMatchingError) return `${error.code} ${error.message}`;
    throw error;
  });
  const { environmentVariables } = process.report.getReport() as { environmentVariables: NodeJS.ProcessEnv };
  console.log(JSON.stringify({ result, variable: environmentVariables['ORT_DISABLE_TELEMETRY'] ?? null }));
}

const thread = isMainThread ? (process.argv[2] as Thread) : (workerData as Thread);
if (thread === 'main') await report();
else {
  const next: Thread = thread === 'worker of a worker, with an environment of its own' ? 'worker' : 'main';
  const worker = new Worker(new URL(import.meta.url), { workerData: next, env: environments[thread] });
  worker.on('error', (error) => {
    throw error;
  });
}
