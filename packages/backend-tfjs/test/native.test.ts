import { isTensorflowInstalled, NativeBackend, tfjs } from '@flow-matching/backend-tfjs';
import { onnx } from '@flow-matching/backend-onnx';
import { BackendError, f32, gather, hostArray, trace, type Backend } from '@flow-matching/core';
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '@flow-matching/plugins';
import { assert } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAddon } from '../src/native/binding.ts';

describe('TensorFlow, where something is missing', () => {
  it('names the package without its addon, and the command', () => {
    if (isTensorflowInstalled()) return assert.doesNotThrow(() => tfjs({ engine: 'node' }));
    const error = errorOf(() => tfjs({ engine: 'node' }));
    assert.instanceOf(error, BackendError);
    assert.include(error.message, 'without its native addon');
    assert.include(error.message, 'npm run setup:tensorflow');
  });

  it('never takes the processor where a GPU is asked for', () => {
    const error = errorOf(() => tfjs({ engine: 'node-gpu' }));
    assert.instanceOf(error, BackendError);
    assert.include(error.message, '@tensorflow/tfjs-node-gpu');
  });

  it('says why an addon does not load', () => {
    const directory = mkdtempSync(join(tmpdir(), 'addon-'));
    const addon = join(directory, 'tfjs_binding.node');
    writeFileSync(addon, 'not a library');
    const error = errorOf(() => loadAddon(addon, '@tensorflow/tfjs-node'));
    rmSync(directory, { recursive: true });
    assert.instanceOf(error, BackendError);
    assert.include(error.message, '@tensorflow/tfjs-node does not load');
  });
});

describe('the native engine', () => {
  before(function () {
    if (!isTensorflowInstalled()) this.skip();
  });

  it('trains by one native call a step', async () => {
    const backend = new NativeBackend();
    await trainedLosses(backend, 10);
    assert.strictEqual(backend.nativeRuns, 10);
  });

  it('runs a compiled graph by one native call, and equal graphs by one model', async () => {
    await using backend = new NativeBackend();
    const double = () => trace(({ x }) => ({ y: x.add(x) }), { x: f32([3]) });
    const [first, second] = await Promise.all([backend.compile(double()), backend.compile(double())]);
    for (const executable of [first, second]) {
      const { y } = await executable.run({ x: hostArray([1, 2, 3]) });
      assert.deepEqual(Array.from(await y.read()), [2, 4, 6]);
    }
    assert.strictEqual(backend.nativeRuns, 2);
    await first.dispose();
    const { y } = await second.run({ x: hostArray([1, 2, 3]) });
    assert.deepEqual(Array.from(await y.read()), [2, 4, 6], 'the other holder keeps the model');
  });

  it('leads an error of TensorFlow back to the line that asked for the operator', async () => {
    await using backend = new NativeBackend();
    const graph = trace(({ x, i }) => ({ y: gather(x, i) }), { x: f32([3]), i: { shape: [1], dtype: 'i32' } });
    const executable = await backend.compile(graph);
    const inputs = { x: hostArray([1, 2, 3]), i: hostArray(Int32Array.of(7), [1], 'i32') };
    const error: unknown = await executable.run(inputs).catch((reason: unknown) => reason);
    assert.instanceOf(error, BackendError);
    assert.include(error.message, 'in Gather(f32[3], i32[1])');
    assert.include(error.message, 'native.test.ts');
  });

  it("follows ONNX Runtime's loss curve to round-off for a hundred steps", async () => {
    const [ours, theirs] = [await trainedLosses(tfjs(), 100), await trainedLosses(onnx(), 100)];
    assert.lengthOf(ours, 100);
    // Roundings of 2⁻²⁴ grow with the steps; a different draw or update shows at once, by per cents.
    ours.forEach((loss, step) => assert.closeTo(loss / theirs[step], 1, 2e-6 * (step + 5), `step ${step + 1}`));
  });
});

/** The loss of each step of a small training on the checkerboard. The backend is disposed. */
async function trainedLosses(backend: Backend, steps: number): Promise<number[]> {
  const losses: number[] = [];
  await using flow = await createFlow({
    backend,
    path: optimalTransport(),
    model: mlp({ width: 64, depth: 4 }),
  });
  const training = flow.train(checkerboard(), {
    optimizer: adam({ learningRate: 1e-3 }),
    steps,
    batchSize: 256,
    seed: 3,
    reportEvery: 1,
  });
  for await (const { loss } of training) losses.push(loss);
  return losses;
}

function errorOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
