import { webgpu as webgpuOf } from '@flow-matching/backend-webgpu';
import { dawnInstance, webgpu } from '@flow-matching/backend-webgpu/node';
import {
  conv2d,
  evaluateGraph,
  f16,
  f32,
  grad,
  hostArray,
  HostRandomStream,
  isFinite,
  layerNorm,
  sizeOf,
  toStorage,
  trace,
  UnsupportedError,
  where,
  type BackendArray,
  type HostArray,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import { assert, expect } from 'chai';
import { registerRandomGraphs } from './support/registerRandomGraphs.ts';

const random = new HostRandomStream(1);
const drawn = (shape: Shape, low = -2, high = 2): HostArray =>
  hostArray(toStorage(random.uniform(shape, low, high).data, 'f16'), shape, 'f16');

describe('f16 on WebGPU', () => {
  it('keeps two elements in a word, an odd one at the end too', async () => {
    await using backend = await webgpu();
    for (const count of [1, 3, 1024, 1025, 5000, 5001]) {
      const values = drawn([count]);
      const array = backend.array(values);
      assert.deepEqual(await array.read(), values.data, `${count} elements`);
      array.dispose();
    }
    const bytesOf = async (type: typeof f16): Promise<number> => {
      const executable = await backend.compile(trace(({ x }) => ({ y: x.mul(2).add(1) }), { x: type([4096]) }));
      return executable.program.kernels.reduce((sum, { bytes }) => sum + bytes, 0);
    };
    expect(await bytesOf(f16)).to.equal((await bytesOf(f32)) / 2);
  });

  it('computes in f32 between what it stores', async () => {
    await using backend = await webgpu();
    const graph = trace(
      ({ large, small }) => ({
        mean: large.mean(),
        norm: small.mul(small).sum().sqrt(),
        centred: layerNorm(large.reshape([8, 512]))
          .mul(large.reshape([8, 512]))
          .mean(),
      }),
      { large: f16([4096]), small: f16([4096]) },
    );
    const executable = await backend.compile(graph);
    // The sum is 245,760, beyond the largest f16; the squares are 1e-8, below the least.
    const small = hostArray(toStorage(new Float32Array(4096).fill(1e-4), 'f16'), [4096], 'f16');
    const inputs = { large: hostArray(toStorage(new Float32Array(4096).fill(60), 'f16'), [4096], 'f16'), small };
    const { mean, norm, centred } = await executable.run(inputs);
    expect(await mean.read()).to.deep.equal(Float32Array.of(60));
    expect((await norm.read())[0]).to.be.closeTo(64 * small.data[0], 2 ** -11 * 64e-4);
    expect((await centred.read())[0]).to.equal(0);
  });

  it('rounds what is cast, in the middle of a kernel too', async () => {
    await using backend = await webgpu();
    const executable = await backend.compile(trace(({ x }) => ({ y: x.cast('f16').cast('f32') }), { x: f32([4]) }));
    const { y } = await executable.run({ x: hostArray(Float32Array.of(1 / 3, 2049, 1e6, -70000)) });
    expect(await y.read()).to.deep.equal(Float32Array.of(0.333251953125, 2048, Infinity, -Infinity));
  });

  it('updates state where it is', async () => {
    await using backend = await webgpu();
    const graph = trace(({ state, by }) => ({ state: state.add(by) }), { state: f16([3, 1001]), by: f16([1001]) });
    const executable = await backend.compile(graph, { aliases: [['state', 'state']] });
    expect(executable.program.outputs[0].reuses).to.equal('state');
    let state: BackendArray = backend.array(hostArray(new Float32Array(3003), [3, 1001], 'f16'));
    const by = backend.array(
      hostArray(
        Float32Array.from({ length: 1001 }, (_, i) => i % 7),
        [1001],
        'f16',
      ),
    );
    for (let run = 0; run < 3; run++) ({ state } = await executable.run({ state, by }));
    const expected = Float32Array.from({ length: 3003 }, (_, i) => 3 * ((i % 1001) % 7));
    expect(await state.read()).to.deep.equal(expected);
  });

  for (const kernels of ['processor', 'gpu'] as const) {
    it(`multiplies matrices with the kernels of a ${kernels}, sums in f32`, async () => {
      await using backend = await webgpu({ kernels });
      const [rows, depth, columns] = [136, 512, 140];
      const graph = trace(
        ({ a, b, bias }) => ({ y: a.matmul(b).add(bias).tanh(), t: b.transpose().matmul(a.transpose()) }),
        {
          a: f16([rows, depth]),
          b: f16([depth, columns]),
          bias: f16([columns]),
        },
      );
      const inputs = { a: drawn([rows, depth]), b: drawn([depth, columns], -0.1, 0.1), bias: drawn([columns]) };
      const executable = await backend.compile(graph);
      const [actual, expected] = [await executable.run(inputs), evaluateGraph(graph, inputs)];
      for (const name of ['y', 't']) {
        const [read, wanted] = [await actual[name].read(), expected[name].data];
        expect(read).to.have.length(sizeOf(expected[name].shape));
        // The roundings of sums in f32 are small beside the last one, to f16.
        for (let i = 0; i < read.length; i++)
          assert.closeTo(read[i], wanted[i], 2 ** -11 * Math.abs(wanted[i]) + 1e-5, `${name} ${i}`);
      }
    });
  }

  registerRandomGraphs('f16', 20, 300_000);

  it('adds up shares of a sum in f32: gradients of a convolution', async () => {
    await using backend = await webgpu({ kernels: 'gpu' });
    const graph = trace(({ x, w }) => grad((weight: Tensor) => conv2d(x, weight).square().mean(), w), {
      x: f16([64, 2, 10, 10]),
      w: f16([3, 2, 3, 3]),
    });
    const inputs = { x: drawn([64, 2, 10, 10]), w: drawn([3, 2, 3, 3]) };
    const executable = await backend.compile(graph);
    expect(executable.program.kernels.some(({ label }) => label.includes('Retype'))).to.equal(true);
    const { output } = await executable.run(inputs);
    const wanted = evaluateGraph(graph, inputs)['output'].data;
    const read = await output.read();
    for (let i = 0; i < read.length; i++) assert.closeTo(read[i], wanted[i], 2e-3 * Math.abs(wanted[i]) + 1e-4, `${i}`);
  });

  it('divides by counts that are no f16: means and their gradients', async () => {
    await using backend = await webgpu();
    const graph = trace(({ x }) => ({ mean: x.mean(), gradient: grad((y: Tensor) => y.mean().mul(70_000), x) }), {
      x: f16([70_000]),
    });
    const executable = await backend.compile(graph);
    const { mean, gradient } = await executable.run({
      x: hostArray(new Float32Array(70_000).fill(2), [70_000], 'f16'),
    });
    expect(await mean.read()).to.deep.equal(Float32Array.of(2));
    expect(new Set(await gradient.read())).to.deep.equal(new Set([1]));
  });

  it('passes rounded values to a guard', async () => {
    await using backend = await webgpu();
    const graph = trace(
      ({ x, state }) => {
        const square = x.mul(x);
        const kept = where(isFinite(square), square, state);
        return { kept, wide: square.cast('f32'), above: square.greater(65504), square };
      },
      { x: f16([3]), state: f16([3]) },
    );
    const executable = await backend.compile(graph);
    const { kept, wide, above, square } = await executable.run({
      x: hostArray([300, 2, 255.875], [3], 'f16'),
      state: hostArray([1, 1, 1], [3], 'f16'),
    });
    expect(await square.read()).to.deep.equal(Float32Array.of(Infinity, 4, 65472));
    expect(await wide.read()).to.deep.equal(Float32Array.of(Infinity, 4, 65472));
    expect(await kept.read()).to.deep.equal(Float32Array.of(1, 4, 65472));
    expect(await above.read()).to.deep.equal(Uint8Array.of(1, 0, 0));
  });

  it('is declared only where the adapter has it', async () => {
    await using backend = await webgpu();
    expect(backend.manifest.get('MatMul')).to.include('f16');
    const adapter = (await (await dawnInstance()).requestAdapter())!;
    const without = {
      features: new Set([...adapter.features].filter((feature) => feature !== 'shader-f16')),
      limits: adapter.limits,
      info: adapter.info,
      requestDevice: (descriptor: GPUDeviceDescriptor) => adapter.requestDevice(descriptor),
    } as unknown as GPUAdapter;
    await using other = await webgpuOf({ gpu: await dawnInstance(), adapter: without });
    for (const dtypes of other.manifest.values()) expect(dtypes).not.to.include('f16');
    const error: unknown = await other
      .compile(trace(({ x }) => ({ y: x.exp() }), { x: f16([2]) }))
      .catch((reason) => reason);
    expect(error).to.be.instanceOf(UnsupportedError);
    expect((error as Error).message).to.include('The webgpu backend has no f16');
    expect(() => other.array(drawn([2]))).to.throw('The webgpu backend has no f16');
  });
});
