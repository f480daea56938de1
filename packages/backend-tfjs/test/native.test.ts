import { tfjs } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled, NativeBackend } from '@flow-matching/backend-tfjs/native';
import * as fm from '@flow-matching/tensor';
import {
  BackendError,
  f32,
  gather,
  hostArray,
  hostScalar,
  trace,
  where,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import { assert } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draw, expectAgreement, numbers } from '../../../test/support/agreement.ts';
import { loadAddon } from '../src/native/binding.ts';
import { errorOf } from './support/errorOf.ts';
import { trainedLosses } from './support/trainedLosses.ts';

describe('TensorFlow, where something is missing', () => {
  it('names the package without its addon, and the command', async () => {
    if (isTensorflowInstalled()) {
      await using backend = await tfjs({ engine: 'node' });
      assert.match(backend.device, /^cpu, TensorFlow/);
      return;
    }
    const error = await errorOf(() => tfjs({ engine: 'node' }));
    assert.instanceOf(error, BackendError);
    assert.include(error.message, 'without its native addon');
    assert.include(error.message, 'npm run setup:tensorflow');
  });

  it('never uses the CPU if a GPU is requested', async () => {
    const error = await errorOf(() => tfjs({ engine: 'node-gpu' }));
    assert.instanceOf(error, BackendError);
    assert.include(error.message, '@tensorflow/tfjs-node-gpu');
  });

  it('says why an addon does not load', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'addon-'));
    const addon = join(directory, 'tfjs_binding.node');
    writeFileSync(addon, 'not a library');
    const error = await errorOf(() => loadAddon(addon, '@tensorflow/tfjs-node'));
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

  it('forwards the branch that a single condition selects', async () => {
    await using backend = new NativeBackend();
    const graph = trace(({ chosen, yes, no }) => ({ kept: where(chosen, yes.mul(2), no).add(1) }), {
      chosen: { shape: [], dtype: 'bool' },
      yes: f32([3]),
      no: f32([3]),
    });
    const executable = await backend.compile(graph);
    const branches = { yes: hostArray([1, 2, 3]), no: hostArray([Number.NaN, 5, 6]) };
    const expectedOf = { 1: [3, 5, 7], 0: [Number.NaN, 6, 7] };
    for (const [chosen, expected] of Object.entries(expectedOf)) {
      const { kept } = await executable.run({ ...branches, chosen: hostScalar(Number(chosen), 'bool') });
      assert.deepEqual(Array.from(await kept.read()), expected);
    }
  });

  const rows = (formula: (x: Tensor, row: Tensor) => Tensor, shape: Shape, row: Shape) => ({
    formula,
    shapes: [shape, row],
  });
  const sums = {
    'a row to a matrix': rows((x, row) => x.add(row), [3, 4], [4]),
    'a matrix to a row': rows((x, row) => row.add(x), [3, 4], [4]),
    'a row to a batch of images': rows((x, row) => x.add(row), [2, 1, 2, 3, 4], [4]),
    'a row to tensors of six axes': rows((x, row) => x.add(row), [2, 1, 1, 2, 3, 4], [4]),
    'a row to a row': rows((x, row) => x.add(row), [4], [4]),
    'a single number to a matrix': rows((x, row) => x.add(row), [3, 4], [1]),
    'a row to a matrix of one column': rows((x, row) => x.add(row), [3, 1], [4]),
    'a column to a square': rows((x, column) => x.add(column), [3, 3], [3, 1]),
    'a row of whole numbers': rows((x, row) => fm.round(x).cast('i32').add(fm.round(row).cast('i32')), [3, 4], [4]),
  };
  for (const [what, { formula, shapes }] of Object.entries(sums))
    it(`adds ${what} as the reference does`, async () => {
      await using backend = new NativeBackend();
      const next = numbers(3);
      const inputs = shapes.map((shape) => draw({ shape, dtype: 'f32' }, [-4, 4], next));
      await expectAgreement(backend, formula, inputs);
    });

  const chosen: Readonly<Record<string, (x: Tensor, y: Tensor, condition: Tensor) => Tensor>> = {
    'by one condition between tensors': (x, y, condition) => where(condition, x, y),
    'by one condition between a tensor and a row': (x, y, condition) => where(condition, x, y.slice(0, 0, 1)),
    'by one condition between single numbers': (x, y, condition) => where(condition, x.sum(), y.sum()),
    'by one condition of an axis': (x, y, condition) => where(condition.reshape([1]), x, y),
    'by each element': (x, y) => where(fm.less(x, y), x, y),
    'twice by one condition': (x, y, condition) => where(condition, where(condition, x, y), where(condition, y, x)),
    'one tensor in both cases': (x, _, condition) => where(condition, x, x),
  };
  for (const [what, formula] of Object.entries(chosen))
    it(`chooses ${what} as the reference does`, async () => {
      await using backend = new NativeBackend();
      const next = numbers(5);
      const [x, y] = [0, 1].map(() => draw({ shape: [3, 4], dtype: 'f32' }, [-4, 4], next));
      for (const condition of [0, 1]) await expectAgreement(backend, formula, [x, y, hostScalar(condition, 'bool')]);
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
});
