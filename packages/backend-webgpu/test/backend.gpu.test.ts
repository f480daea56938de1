import { dawnInstance, webgpu } from '@flow-matching/backend-webgpu/node';
import { webgpu as webgpuOf } from '@flow-matching/backend-webgpu';
import * as fm from '@flow-matching/tensor';
import { BackendError, f32, hostArray, trace, UnsupportedError } from '@flow-matching/tensor';
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '@flow-matching/plugins';
import { expect } from 'chai';

const doubled = () => trace(({ x }) => ({ y: x.add(x) }), { x: f32([3]) });

async function errorOf(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('the webgpu backend', () => {
  it('says what is missing where there is no WebGPU or no adapter', async () => {
    const none = await errorOf(() => webgpuOf());
    expect(none).to.be.instanceOf(BackendError);
    expect(none.message).to.include('@flow-matching/backend-webgpu/node');
    const nothing = { requestAdapter: async () => null } as unknown as GPU;
    const noAdapter = await errorOf(() => webgpuOf({ gpu: nothing }));
    expect(noAdapter).to.be.instanceOf(BackendError);
    expect(noAdapter.message).to.include('no adapter');
  });

  it('shares one pipeline between kernels of the same code', async () => {
    await using backend = await webgpu();
    const layer = (width: number) =>
      trace(({ x, w }) => ({ y: x.matmul(w).matmul(w).matmul(w).tanh() }), {
        x: f32([64, width]),
        w: f32([width, width]),
      });
    const { program } = await backend.compile(layer(64));
    const codes = new Set(program.kernels.map(({ code }) => code));
    expect(program.kernels).to.have.length(3);
    expect(backend.pipelineCount).to.equal(codes.size);
    await backend.compile(layer(64));
    expect(backend.pipelineCount).to.equal(codes.size);
  });

  it('reports kernels, memory and times on request', async () => {
    await using backend = await webgpu({ debug: true });
    const graph = trace(({ x, w }) => ({ y: fm.softmax(x.matmul(w)) }), { x: f32([64, 64]), w: f32([64, 64]) });
    const executable = await backend.compile(graph);
    const { y } = await executable.run({
      x: hostArray(new Float32Array(4096).fill(1), [64, 64]),
      w: hostArray(new Float32Array(4096).fill(0.5), [64, 64]),
    });
    expect((await y.read())[0]).to.be.closeTo(1 / 64, 1e-8);
    const { kernels, scratch } = executable.program;
    expect(kernels.map(({ label }) => label)).to.deep.equal(['MatMul', 'ReduceMax+ReduceSum+Div']);
    expect(kernels[0].code).to.include('@compute');
    expect(scratch).to.deep.equal([4 * 64 * 64]);
    const times = await executable.kernelTimes();
    expect(times).to.have.length(kernels.length);
    for (const time of times) expect(time).to.be.at.least(0);
    await executable.dispose();
    expect(await errorOf(() => executable.kernelTimes())).to.be.instanceOf(fm.DisposedError);
  });

  it('does not time kernels by default', async () => {
    await using backend = await webgpu();
    const executable = await backend.compile(doubled());
    expect((await errorOf(() => executable.kernelTimes())).message).to.include('debug');
  });

  it('names the operator and the line of a tensor that is larger than the adapter allows', async () => {
    await using backend = await webgpu();
    const side = Math.ceil(Math.sqrt(backend.profile.storageBufferBytes / 4)) + 1;
    const graph = trace(({ x }) => ({ y: x.reshape([side, 1]).mul(x).sum() }), { x: f32([side]) });
    // What is computed within a kernel takes no memory.
    await (await backend.compile(graph)).dispose();
    const whole = trace(({ x }) => ({ y: x.reshape([side, 1]).mul(x) }), { x: f32([side]) });
    const error = await errorOf(() => backend.compile(whole));
    expect(error).to.be.instanceOf(BackendError);
    expect(error.message)
      .to.include('Mul')
      .and.include('maxStorageBufferBindingSize')
      .and.include('backend.gpu.test.ts');
  });

  it('names an operator and dtype that it does not have, and the line', async () => {
    await using backend = await webgpu();
    const graph = trace(({ x }) => ({ y: x.exp() }), { x: { shape: [2], dtype: 'f64' } });
    const error = await errorOf(() => backend.compile(graph));
    expect(error).to.be.instanceOf(UnsupportedError);
    expect(error.message).to.include('f64').and.include('backend.gpu.test.ts');
    expect((await errorOf(() => backend.array(hostArray(Float64Array.of(1))))).message).to.include('f64');
  });

  it('computes what is made of constants as the operators say, and lives on', async () => {
    await using backend = await webgpu();
    const large = (value: number, dtype: fm.DType = 'f32') => fm.full([60, 60], value, dtype);
    const graph = trace(
      ({ i }) => ({
        root: large(-1).sqrt(),
        inverse: fm.reciprocal(large(0)),
        product: large(1e30).mul(fm.barrier(large(1e30))),
        quotient: i.div(0).mul(0),
      }),
      { i: { shape: [3], dtype: 'i32' } },
    );
    const executable = await backend.compile(graph);
    const result = await executable.run({ i: hostArray(Int32Array.of(1, 2, 3)) });
    expect((await result['root'].read())[0]).to.deep.equal(Number.NaN);
    expect((await result['inverse'].read())[7]).to.equal(Infinity);
    expect((await result['product'].read())[7]).to.equal(Infinity);
    expect(Array.from(await result['quotient'].read())).to.deep.equal([0, 0, 0]);
  });

  it('keeps what bound executables use until the last of them is disposed', async () => {
    await using backend = await webgpu();
    const numbers = Float32Array.from({ length: 2000 }, (_, i) => i);
    const graph = trace(({ x, by }) => ({ y: x.add(fm.constant(numbers)).mul(by) }), { x: f32([2000]), by: f32([]) });
    const executable = await backend.compile(graph);
    const by = backend.array(fm.hostScalar(2));
    const bound = executable.bind({ by });
    await executable.dispose();
    // It would take over the constant's buffer.
    const other = backend.array(hostArray(new Float32Array(2000).fill(500)));
    const { y } = await bound.run({ x: hostArray(new Float32Array(2000)) });
    expect(Array.from((await y.read()).subarray(0, 3))).to.deep.equal([0, 2, 4]);
    other.dispose();
    await bound.dispose();
  });

  it('ends runs of a lost device with an error, and a new one goes on from the last checkpoint to the same state', async () => {
    const gpu = await dawnInstance([]);
    const options = { optimizer: adam({ learningRate: 1e-3 }), steps: 6, batchSize: 32, seed: 1, reportEvery: 1 };
    const make = async (adapter?: GPUAdapter) => {
      const backend = await webgpuOf({ gpu, ...(adapter && { adapter }) });
      const flow = await createFlow({ backend, path: optimalTransport(), model: mlp({ width: 16, depth: 2 }) });
      return { backend, flow };
    };

    const whole = await make();
    const uninterrupted = await whole.flow.begin(checkerboard(), options);
    for await (const _ of uninterrupted);
    const expected = await uninterrupted.state();

    const adapter = (await gpu.requestAdapter())!;
    let device: GPUDevice | undefined;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => (device = await requestDevice(descriptor));
    const broken = await make(adapter);
    const training = await broken.flow.begin(checkerboard(), options);
    let checkpoint = await training.state();
    const error = await errorOf(async () => {
      for await (const { step } of training) {
        if (step <= 3) checkpoint = await training.state();
        if (step === 3) device!.destroy();
      }
    });
    expect(error).to.be.instanceOf(BackendError);
    expect(error.message).to.include('lost').and.include('checkpoint');
    expect(await errorOf(() => training.state())).to.be.instanceOf(fm.LostError);

    const restored = await make();
    const resumed = await restored.flow.begin(checkerboard(), { ...options, resume: checkpoint });
    for await (const _ of resumed);
    expect((await resumed.state()).parameters).to.deep.equal(expected.parameters);
    for (const { backend } of [whole, restored, broken]) await backend.dispose();
  });
});
