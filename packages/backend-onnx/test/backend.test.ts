import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';
import * as fm from '@flow-matching/tensor';
import {
  hostArray,
  hostScalar,
  trace,
  type Backend,
  type BackendArray,
  type Executable,
  type Tensor,
} from '@flow-matching/tensor';
import { onnx, type OnnxOptions } from '@flow-matching/backend-onnx';
import { ModelProtoSchema } from '../src/generated/onnx_pb.ts';

/** The error that a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<fm.FlowMatchingError> {
  try {
    await promise;
  } catch (error) {
    return error as fm.FlowMatchingError;
  }
  throw new Error('The promise was not rejected.');
}

const wave = (x: Tensor): Tensor => fm.exp(fm.sin(x));

/** A fresh trace of one formula. */
const tripleSum = (backend: Backend): Promise<Executable> =>
  backend.compile(trace(({ x }) => x.mul(3).sum(), { x: fm.f32([4]) }));

const values = async (array: BackendArray): Promise<number[]> => Array.from(await array.read());

describe('the ONNX backend', () => {
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());

  const increment = trace(({ state, by }) => ({ state: state.add(by), total: state.sum() }), {
    state: fm.f32([3]),
    by: fm.f32(),
  });
  const aliased = { aliases: [['state', 'state']] } as const;

  it('reports its name and device', () => {
    expect(backend.name).to.equal('onnx');
    expect(backend.device).to.equal('cpu, 1 thread');
    expect(onnx({ threads: 2 }).device).to.equal('cpu, 2 threads');
    const session = (options: OnnxOptions['session']): string => onnx({ threads: 2, session: options! }).device;
    expect(session({ executionProviders: ['cuda', 'cpu'] })).to.equal('cuda, cpu, 2 threads');
    expect(session({ executionProviders: [{ name: 'webgpu' }] })).to.equal('webgpu, cpu, 2 threads');
    expect(session({ executionProviders: ['cpu'], intraOpNumThreads: 1 })).to.equal('cpu, 1 thread');
    expect(() => onnx({ threads: 0 })).to.throw(fm.OptionError, 'threads');
  });

  it('copies arrays in array() and read()', async () => {
    const source = Float32Array.of(1, 2);
    const array = backend.array(hostArray(source));
    source[0] = 9;
    (await array.read())[1] = 9;
    expect(await values(array)).to.deep.equal([1, 2]);
  });

  it('takes host arrays as inputs, of every dtype', async () => {
    const graph = trace((x) => ({ f: x.f.mul(2), d: x.d.mul(2), i: x.i.mul(2), u: x.u.mul(2), b: fm.not(x.b) }), {
      f: fm.f32([2]),
      d: fm.f64([2]),
      i: fm.i32([2]),
      u: fm.u32([2]),
      b: fm.bool([2]),
    });
    const executable = await backend.compile(graph);
    const { f, d, i, u, b } = await executable.run({
      f: hostArray(Float32Array.of(0.5, -1)),
      d: hostArray(Float64Array.of(1e-300, 1 / 3)),
      i: hostArray(Int32Array.of(-3, 4)),
      u: hostArray(Uint32Array.of(3, 2 ** 30)),
      b: hostArray(Uint8Array.of(0, 1)),
    });
    expect(await values(f)).to.deep.equal([1, -2]);
    expect(await values(d)).to.deep.equal([2e-300, 2 / 3]);
    expect(await values(i)).to.deep.equal([-6, 8]);
    expect(await values(u)).to.deep.equal([6, 2 ** 31]);
    expect(await values(b)).to.deep.equal([1, 0]);
  });

  it('returns inputs, constants and one value under two names', async () => {
    const graph = trace(
      ({ x }) => {
        const y = x.add(1);
        return { x, y, again: y, known: fm.constant([7, 8]), empty: fm.zeros([0, 2]) };
      },
      { x: fm.f32([2]), unused: fm.f32([5]) },
    );
    const executable = await backend.compile(graph);
    const results = await executable.run({ x: hostArray([1, 2]), unused: hostArray([0, 0, 0, 0, 0]) });
    const read = Object.fromEntries(
      await Promise.all(Object.entries(results).map(async ([name, array]) => [name, await values(array)] as const)),
    );
    expect(read).to.deep.equal({ x: [1, 2], y: [2, 3], again: [2, 3], known: [7, 8], empty: [] });
  });

  it('ping-pongs donated arrays', async () => {
    const executable = await backend.compile(increment, aliased);
    let state = backend.array(hostArray([0, 1, 2]));
    for (let i = 0; i < 5; i++) {
      const before = state;
      const results = await executable.run({ state, by: hostScalar(1) });
      state = results['state'];
      results['total'].dispose();
      expect(before.disposed).to.equal(true);
      expect(await rejection(before.read())).to.be.instanceOf(fm.DisposedError);
    }
    expect(await values(state)).to.deep.equal([5, 6, 7]);
    await executable.dispose();
  });

  it('refuses an array donated to a pending run, and lets readers wait for it', async () => {
    const executable = await backend.compile(increment, aliased);
    const state = backend.array(hostArray([0, 1, 2]));
    const first = executable.run({ state, by: hostScalar(1) });
    const second = executable.run({ state, by: hostScalar(1) });
    const read = state.read();
    expect(await rejection(second)).to.be.instanceOf(fm.DisposedError);
    expect(await rejection(read)).to.be.instanceOf(fm.DisposedError);
    expect(await values((await first)['state'])).to.deep.equal([1, 2, 3]);
    await executable.dispose();
  });

  it('lets an array be disposed while a run that reads it is queued', async () => {
    const executable = await backend.compile(increment);
    const state = backend.array(hostArray([4, 5, 6]));
    const runs = [executable.run({ state, by: hostScalar(1) }), executable.run({ state, by: hostScalar(2) })];
    state.dispose();
    // Its memory must not be handed out before both runs have read it.
    const other = backend.array(hostArray([-1, -1, -1]));
    const [a, b] = await Promise.all(runs);
    expect(await values(a['state'])).to.deep.equal([5, 6, 7]);
    expect(await values(b['state'])).to.deep.equal([6, 7, 8]);
    other.dispose();
    await executable.dispose();
  });

  it('runs concurrent calls one after another', async () => {
    const executable = await backend.compile(increment);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => executable.run({ state: hostArray([i, i, i]), by: hostScalar(1) })),
    );
    expect(await Promise.all(results.map((result) => values(result['total'])))).to.deep.equal(
      results.map((_, i) => [3 * i]),
    );
    await executable.dispose();
  });

  it('checks names, types and life of the inputs', async () => {
    const executable = await backend.compile(increment);
    const state = hostArray([1, 2, 3]);
    expect(await rejection(executable.run({ state }))).to.be.instanceOf(fm.GraphError);
    expect(await rejection(executable.run({ state, by: hostScalar(1), more: state }))).to.be.instanceOf(fm.GraphError);
    expect(await rejection(executable.run({ state: hostArray([1, 2]), by: hostScalar(1) }))).to.be.instanceOf(
      fm.ShapeError,
    );
    expect(
      await rejection(executable.run({ state: hostArray([1, 2, 3], [3], 'i32'), by: hostScalar(1) })),
    ).to.be.instanceOf(fm.DTypeError);
    const dead = backend.array(state);
    dead.dispose();
    expect(await rejection(executable.run({ state: dead, by: hostScalar(1) }))).to.be.instanceOf(fm.DisposedError);
    const mismatch = fm.createReferenceBackend().array(state);
    expect(await rejection(executable.run({ state: mismatch, by: hostScalar(1) }))).to.be.instanceOf(fm.GraphError);
    await executable.dispose();
    expect(await rejection(executable.run({ state, by: hostScalar(1) }))).to.be.instanceOf(fm.DisposedError);
  });

  it('keeps donated arrays readable when the run fails', async () => {
    const graph = trace(({ x, i }) => ({ x: x.add(fm.gather(x, i)) }), { x: fm.f32([2]), i: fm.i32([2]) });
    const executable = await backend.compile(graph, { aliases: [['x', 'x']] });
    const x = backend.array(hostArray([1, 2]));
    const error = await rejection(executable.run({ x, i: hostArray(Int32Array.of(0, 5)) }));
    expect(error).to.be.instanceOf(fm.BackendError);
    expect(error.message).to.contain('Gather(f32[2], i32[2])');
    expect(error.callSite?.toString()).to.contain('backend.test.ts');
    expect(x.disposed).to.equal(false);
    expect(await values(x)).to.deep.equal([1, 2]);
    const { x: next } = await executable.run({ x, i: hostArray(Int32Array.of(1, 0)) });
    expect(await values(next)).to.deep.equal([3, 3]);
    await executable.dispose();
  });

  it('names the operator without a kernel and its line', async () => {
    const graph = trace(({ x }) => fm.erf(x), { x: fm.f64([2]) });
    const error = await rejection(backend.compile(graph));
    expect(error).to.be.instanceOf(fm.UnsupportedError);
    expect(error.message).to.contain('Erf for f64');
    expect(error.callSite?.toString()).to.contain('backend.test.ts');
  });

  it('binds inputs', async () => {
    const executable = await backend.compile(increment, aliased);
    const by = backend.array(hostScalar(10));
    const bound = executable.bind({ by });
    const { state } = await bound.run({ state: hostArray([1, 2, 3]) });
    expect(await values(state)).to.deep.equal([11, 12, 13]);
    expect(by.disposed).to.equal(false);
    expect(() => executable.bind({ state })).to.throw(fm.GraphError, 'donated');
    expect(await rejection(bound.run({ state, by: hostScalar(1) }))).to.be.instanceOf(fm.GraphError);
    by.dispose();
    expect(await rejection(bound.run({ state }))).to.be.instanceOf(fm.DisposedError);
    await bound.dispose();
    await executable.dispose();
  });

  it('prepacks bound inputs if requested', async () => {
    await using other = onnx({ threads: 1, prepack: true });
    const graph = trace(({ x, w, b }) => fm.silu(x.matmul(w).add(b)), {
      x: fm.f32([4, 8]),
      w: fm.f32([8, 6]),
      b: fm.f32([6]),
    });
    const executable = await other.compile(graph);
    const inputs = { x: ramp([4, 8]), w: ramp([8, 6]), b: ramp([6]) };
    const plain = await values((await executable.run(inputs))['output']);
    const w = other.array(inputs.w);
    const bound = executable.bind({ w }).bind({ b: other.array(inputs.b) });
    const results = await Promise.all([bound.run({ x: inputs.x }), bound.run({ x: inputs.x })]);
    for (const { output } of results)
      (await values(output)).forEach((value, i) => expect(value).to.be.closeTo(plain[i], 1e-6));
    w.dispose();
    expect(await rejection(bound.run({ x: inputs.x }))).to.be.instanceOf(fm.DisposedError);
    await bound.dispose();
    await executable.dispose();
  });

  it('takes host arrays that are in shared memory or in the other float storage', async () => {
    const executable = await backend.compile(increment);
    const shared = new Float32Array(new SharedArrayBuffer(12));
    shared.set([1, 2, 3]);
    for (const data of [shared, Float64Array.of(1, 2, 3)]) {
      const { state } = await executable.run({ state: { data, shape: [3], dtype: 'f32' }, by: hostScalar(1) });
      expect(await values(state)).to.deep.equal([2, 3, 4]);
    }
    const short = { data: Float32Array.of(1), shape: [3], dtype: 'f32' } as const;
    expect(await rejection(executable.run({ state: short, by: hostScalar(1) }))).to.be.instanceOf(fm.ShapeError);
    expect(() => backend.array(short)).to.throw(fm.ShapeError);
    await executable.dispose();
  });

  it('does not merge across a barrier', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flow-matching-'));
    const path = join(folder, 'optimized.onnx');
    await using other = onnx({ threads: 1, session: { optimizedModelFilePath: path } });
    await other.compile(
      trace(({ x }) => [wave(x), wave(fm.barrier(x)), wave(fm.barrier(x)), wave(x)], { x: fm.f32([8]) }),
    );
    const model = fromBinary(ModelProtoSchema, await readFile(path));
    await rm(folder, { recursive: true });
    expect(model.graph?.node.filter((node) => node.opType === 'Sin')).to.have.length(3);
  });

  it('shares one session between equal graphs until the last executable is disposed', async () => {
    const [a, b] = await Promise.all([tripleSum(backend), tripleSum(backend)]);
    await a.dispose();
    await a.dispose();
    const x = hostArray([1, 2, 3, 4]);
    expect(await values((await b.run({ x }))['output'])).to.deep.equal([30]);
    await b.dispose();
    const c = await tripleSum(backend);
    expect(await values((await c.run({ x }))['output'])).to.deep.equal([30]);
    await c.dispose();
  });

  it('draws the reference’s random numbers on the host', async () => {
    const graph = trace(
      ({ key, step }) => {
        const random = new fm.Random({ key, firstSample: fm.constant(5, 'u32'), step });
        return { normal: random.normal([6, 3]), uniform: random.uniform([4]), sign: random.sign([4, 2]) };
      },
      { key: fm.u32([2]), step: fm.u32() },
    );
    const inputs = { key: hostArray(Uint32Array.of(1, 2)), step: hostArray(Uint32Array.of(3), []) };
    const expected = fm.evaluateGraph(graph, inputs);
    const executable = await backend.compile(graph);
    for (const given of [inputs, { key: backend.array(inputs.key), step: backend.array(inputs.step) }]) {
      const results = await executable.run(given);
      for (const [name, array] of Object.entries(results)) {
        const actual = await values(array);
        expected[name].data.forEach((value, i) => expect(actual[i], `${name} ${i}`).to.be.closeTo(value, 2e-6));
      }
    }
    await executable.dispose();
  });

  it('draws the random numbers of a composite', async () => {
    const noisy = fm.composite('Noisy', ([x, key, counter]) => x.add(fm.randomNormal(key, counter, x.shape)));
    const graph = trace(({ x, key, counter }) => noisy([x, key, counter], {})[0], {
      x: fm.f32([3, 2]),
      key: fm.u32([2]),
      counter: fm.u32([4]),
    });
    const inputs = {
      x: ramp([3, 2]),
      key: hostArray(Uint32Array.of(1, 2)),
      counter: hostArray(Uint32Array.of(0, 0, 3, 4)),
    };
    const executable = await backend.compile(graph);
    const actual = await values((await executable.run(inputs))['output']);
    fm.evaluateGraph(graph, inputs)['output'].data.forEach((value, i) => expect(actual[i]).to.be.closeTo(value, 2e-6));
    await executable.dispose();
  });

  it('accepts every level of graph optimization', async () => {
    for (const graphOptimization of ['disabled', 'basic', 'extended', 'all'] as const) {
      await using other = onnx({ graphOptimization, threads: 1 });
      const executable = await other.compile(increment);
      expect(
        await values((await executable.run({ state: hostArray([1, 2, 3]), by: hostScalar(1) }))['total']),
      ).to.deep.equal([6]);
    }
  });

  it('computes the same bytes with the same number of threads', async () => {
    const graph = trace(({ x, w }) => fm.silu(x.matmul(w)).sum(0), { x: fm.f32([64, 96]), w: fm.f32([96, 80]) });
    const inputs = { x: ramp([64, 96]), w: ramp([96, 80]) };
    const results: number[][] = [];
    for (const threads of [2, 2, 1]) {
      await using other = onnx({ threads });
      results.push(await values((await (await other.compile(graph)).run(inputs))['output']));
    }
    expect(results[1]).to.deep.equal(results[0]);
    results[2].forEach((value, i) => expect(value).to.be.closeTo(results[0][i], 1e-4));
  });

  it('throws once disposed', async () => {
    const other = onnx({ threads: 1 });
    const executable = await other.compile(increment);
    const array = other.array(hostScalar(1));
    await other.dispose();
    expect(() => other.array(hostScalar(1))).to.throw(fm.DisposedError);
    expect(await rejection(other.compile(increment))).to.be.instanceOf(fm.DisposedError);
    expect(await rejection(executable.run({ state: hostArray([1, 2, 3]), by: array }))).to.be.instanceOf(
      fm.DisposedError,
    );
    await executable.dispose();
  });

  it('encodes large constants', async () => {
    const weights = Float32Array.from({ length: 512 * 512 }, (_, i) => (i % 7) - 3);
    const graph = trace(({ x }: { x: Tensor }) => x.matmul(fm.constant(weights, 'f32', [512, 512])).sum(), {
      x: fm.f32([1, 512]),
    });
    const executable = await backend.compile(graph);
    const { output } = await executable.run({ x: hostArray(new Float32Array(512).fill(1), [1, 512]) });
    expect(await values(output)).to.deep.equal([weights.reduce((sum, w) => sum + w, 0)]);
    await executable.dispose();
  });
});

function ramp(shape: readonly number[]): fm.HostArray {
  return hostArray(
    Float32Array.from({ length: fm.sizeOf(shape) }, (_, i) => Math.sin(i * 1.7)),
    shape,
  );
}
