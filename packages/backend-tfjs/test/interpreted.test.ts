import { engineFallbacks, interpretedEngines, tfjs } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import {
  apply,
  constant,
  BackendError,
  f32,
  gather,
  grad,
  hostArray,
  LostError,
  OptionError,
  roundToHalf,
  trace,
  UnsupportedError,
  type Backend,
  type HostArray,
  type Operator,
  type Tensor,
} from '@flow-matching/tensor';
import { assert } from 'chai';
import { startEngine } from '../src/interpreted/engines/index.ts';
import { errorOf } from './support/errorOf.ts';

describe('the choice of an engine', () => {
  it('is the best one available, and is reported', async () => {
    await using backend = await tfjs();
    assert.match(backend.device, isTensorflowInstalled() ? /^[cg]pu, TensorFlow \d/ : /^wasm, \d+ threads?$/);
  });

  it("is the caller's choice, or an error that says why not", async () => {
    await using backend = await tfjs({ engine: 'cpu' });
    assert.strictEqual(backend.device, 'cpu, JavaScript');
    for (const engine of ['webgl', 'webgpu'] as const) {
      const error = await errorOf(() => tfjs({ engine }));
      assert.instanceOf(error, BackendError);
      assert.include(error.message, `${engine} engine cannot run: there is no`);
    }
  });

  it('refuses options that the engine does not take, or that the one of the process does not have', async () => {
    const mismatch = await errorOf(() => tfjs({ engine: 'cpu', threads: 2 }));
    assert.instanceOf(mismatch, OptionError);
    assert.include(mismatch.message, 'belongs to the wasm engine');
    const none = await errorOf(() => startEngine('wasm', { threads: 0 }));
    assert.include(none.message, '0 threads');
    await using running = await tfjs({ engine: 'wasm' });
    const other = await errorOf(() => tfjs({ engine: 'wasm', threads: 7 }));
    assert.instanceOf(other, BackendError);
    assert.include(other.message, `the running engine's options: ${running.device}`);
  });

  it('comes with a list of operators without a kernel', () => {
    for (const engine of interpretedEngines)
      assert.include(engineFallbacks(engine), 'ConvWeightGradient of products', engine);
    assert.match(
      engineFallbacks('wasm'),
      /in JavaScript, slowly: f16 as a whole; f32 Cos, Mod, Sin; f64 as a whole; i32 Conv,/,
    );
    assert.match(
      engineFallbacks('webgl'),
      /Tanh \(the kernel loses digits near 0\).*\. integers pass through floats, exact up to 2²⁴\. not declared: /,
    );
  });
});

for (const engine of ['wasm', 'cpu'] as const) {
  describe(`the engine ${engine}`, () => {
    let backend: Backend;

    before(async () => {
      backend = await tfjs({ engine });
    });

    after(() => backend.dispose());

    it('adds tensors of seven axes', async () => {
      const graph = trace(({ x, b }) => ({ y: x.add(b) }), { x: f32([1, 1, 1, 1, 2, 1, 4]), b: f32([4]) });
      const executable = await backend.compile(graph);
      const { y } = await executable.run({
        x: hostArray([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 2, 1, 4]),
        b: hostArray([10, 20, 30, 40]),
      });
      assert.deepEqual(Array.from(await y.read()), [11, 22, 33, 44, 15, 26, 37, 48]);
      await executable.dispose();
    });

    it('computes f16 in wider floats, and rounds what is read, cast or compared', async () => {
      const many = 70_000;
      const graph = trace(
        ({ x, y }) => {
          const mean = (t: Tensor) => t.mean();
          return {
            mean: mean(x),
            slope: grad(mean, x).slice(0, 0, 1),
            share: x.sum().div(many),
            norm: y.mul(y).sum().sqrt(),
            // 90,000 is infinite in f16.
            square: y.mul(y),
            isInfinite: y.mul(y).equal(constant(Infinity, 'f16')),
            cast: y.mul(y).cast('f32'),
            rest: y.mul(y).sub(y.mul(y)),
            third: y.div(7).cast('f32'),
          };
        },
        { x: { shape: [many], dtype: 'f16' }, y: { shape: [2], dtype: 'f16' } },
      );
      const executable = await backend.compile(graph);
      const half = (values: Float32Array): HostArray => ({ data: values, shape: [values.length], dtype: 'f16' });
      const results = await executable.run({
        x: half(new Float32Array(many).fill(2)),
        y: half(Float32Array.of(300, 3)),
      });
      const read = Object.fromEntries(
        await Promise.all(
          Object.entries(results).map(async ([name, array]) => [name, Array.from(await array.read())] as const),
        ),
      );
      assert.deepEqual(read, {
        mean: [2],
        slope: [roundToHalf(1 / many)],
        share: [2],
        norm: [roundToHalf(Math.sqrt(90_009))],
        square: [Infinity, 9],
        isInfinite: [1, 0],
        cast: [Infinity, 9],
        rest: [Number.NaN, 0],
        third: [roundToHalf(300 / 7), roundToHalf(3 / 7)],
      });
      await executable.dispose();
    });

    it('frees values as soon as their last use has run', async () => {
      const { backend: memory } = await startEngine(engine, {});
      const length = 20;
      const graph = trace(
        ({ x }) => {
          let y = x;
          for (let i = 0; i < length; i++) y = y.neg().exp();
          return { y };
        },
        { x: f32([5]) },
      );
      const executable = await backend.compile(graph);
      const before = memory.numDataIds();
      let most = 0;
      const write = memory.write.bind(memory);
      memory.write = (values, shape, dtype) => {
        const id = write(values, shape, dtype);
        most = Math.max(most, memory.numDataIds() - before);
        return id;
      };
      const { y } = await executable.run({ x: hostArray([1, 2, 3, 4, 5]) });
      memory.write = write;
      assert.isAtLeast(most, 2);
      // The input, an operand and its result.
      assert.isAtMost(most, 3, `of ${2 * length} values`);
      y.dispose();
      await executable.dispose();
      assert.strictEqual(memory.numDataIds(), before);
    });

    it('reports a failure of the engine, with which its arrays are lost', async () => {
      const started = await startEngine(engine, {});
      const executable = await backend.compile(trace(({ x }) => ({ y: x.add(1) }), { x: f32([3]) }));
      const x = backend.array(hostArray([1, 2, 3]));
      try {
        started.lost = 'unreachable';
        assert.instanceOf(await errorOf(() => x.read()), LostError);
        const error = await errorOf(() => executable.run({ x }));
        assert.instanceOf(error, BackendError);
        assert.include(error.message, 'unreachable');
      } finally {
        delete started.lost;
      }
      assert.deepEqual(Array.from(await x.read()), [1, 2, 3]);
      x.dispose();
      await executable.dispose();
    });

    it('leads an error back to the line that asked for the operator, and leaves the state as it was', async () => {
      const { backend: memory } = await startEngine(engine, {});
      const graph = trace(({ state, i }) => ({ state: gather(state.add(1), i) }), {
        state: f32([3]),
        i: { shape: [3], dtype: 'i32' },
      });
      const executable = await backend.compile(graph, { aliases: [['state', 'state']] });
      const state = backend.array(hostArray([1, 2, 3]));
      const held = memory.numDataIds();
      const error = await errorOf(() => executable.run({ state, i: hostArray(Int32Array.of(0, 1, 7)) }));
      assert.instanceOf(error, BackendError);
      assert.include(error.message, 'in Gather(f32[3], i32[3])');
      assert.include(error.message, 'interpreted.test.ts');
      assert.deepEqual(Array.from(await state.read()), [1, 2, 3]);
      assert.strictEqual(memory.numDataIds(), held);
      state.dispose();
      await executable.dispose();
    });

    it('refuses an operator that it does not declare, by its name and line', async () => {
      const mystery: Operator = { name: 'Mystery', infer: ([x]) => [x] };
      const graph = trace(({ x }) => ({ y: apply(mystery, [x], {})[0] }), { x: f32([2]) });
      const error = await errorOf(() => backend.compile(graph));
      assert.instanceOf(error, UnsupportedError);
      assert.include(error.message, `The tfjs (${engine}) backend has no Mystery for f32`);
      assert.include(error.message, 'interpreted.test.ts');
    });
  });
}

it('engines run side by side, each on arrays of its own', async () => {
  await using first = await tfjs({ engine: 'wasm' });
  await using second = await tfjs({ engine: 'cpu' });
  const graph = trace(({ x }) => ({ y: x.mul(2) }), { x: f32([2]) });
  const [one, other] = [await first.compile(graph), await second.compile(graph)];
  const x = first.array(hostArray([1, 2]));
  const [a, b] = await Promise.all([one.run({ x }), other.run({ x: hostArray([3, 4]) })]);
  assert.deepEqual(Array.from(await a.y.read()), [2, 4]);
  assert.deepEqual(Array.from(await b.y.read()), [6, 8]);
  const error = await errorOf(() => other.run({ x }));
  assert.include(error.message, 'belongs to another backend');
});
