import { ModelWriter } from './model/modelWriter.ts';
import type { Runtime } from './runtime.ts';

/**
 * A workaround for onnxruntime-node's copying of results.
 *
 * `session.run` writes into the given outputs, and then copies each of them into a new array that this backend does not use:
 * for a training step these are all parameters and their optimizer states, at each step, and the garbage makes V8 collect every
 * other step. It creates these arrays after the computation, in the order of the model's outputs, and throws at an output that
 * is not a tensor. Models therefore get a sequence as their first output, and that particular error means success.
 */
export interface ResultBarrier {
  /** True for the error that signals a completed run. */
  isSuccess(error: unknown): boolean;
}

const probes = new WeakMap<Runtime, Promise<ResultBarrier | undefined>>();

/** The barrier, if this version of ONNX Runtime is observed to behave as described; otherwise undefined, and results are copied. */
export function resultBarrier(runtime: Runtime): Promise<ResultBarrier | undefined> {
  let probe = probes.get(runtime);
  if (!probe) probes.set(runtime, (probe = probeBarrier(runtime)));
  return probe;
}

/** Doubles a number behind a barrier: the run must fail in the known way, but must have written the result. */
async function probeBarrier({ InferenceSession, Tensor }: Runtime): Promise<ResultBarrier | undefined> {
  const type = { shape: [1], dtype: 'f32' } as const;
  const write = new ModelWriter(['x', 'y', 'barrier']);
  const x = write.input('x', type);
  write.output('y', write.node('Add', [x, x]), type);
  write.sequenceOutput('barrier');
  const session = await InferenceSession.create(write.finish('probe'), { logSeverityLevel: 3 });
  const y = new Float32Array(1);
  const given = { x: new Tensor('float32', Float32Array.of(21), [1]) };
  const written = { barrier: null, y: new Tensor('float32', y, [1]) };
  try {
    await session.run(given, written);
    return undefined;
  } catch (error) {
    const signal = messageOf(error);
    return y[0] === 42 && signal.includes('Non tensor type')
      ? { isSuccess: (candidate) => messageOf(candidate) === signal }
      : undefined;
  } finally {
    await session.release();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
