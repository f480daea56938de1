import { expect } from 'chai';
import { takeFaults } from './support/webgpu/deviceFaults.ts';

describe('a WebGPU adapter', () => {
  // Kept: the process crashes where Dawn's instance is collected.
  let gpu: GPU;
  let device: GPUDevice;
  before(async () => {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    gpu = create([]);
    const adapter = await gpu.requestAdapter();
    device = await adapter!.requestDevice();
  });
  after(() => device.destroy());

  async function read(source: GPUBuffer): Promise<Float32Array> {
    const target = device.createBuffer({ size: source.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, source.size);
    device.queue.submit([encoder.finish()]);
    await target.mapAsync(GPUMapMode.READ);
    return new Float32Array(target.getMappedRange().slice());
  }

  function upload(values: Float32Array<ArrayBuffer>): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = device.createBuffer({ size: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  it('gives back what is written to a buffer', async () => {
    const values = Float32Array.of(1, -2.5, 3e38, 1e-30);
    expect(await read(upload(values))).to.deep.equal(values);
  });

  it('has its uncaught errors noticed', async () => {
    device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
    await device.queue.onSubmittedWorkDone();
    expect(takeFaults())
      .to.have.length(1)
      .and.to.satisfy(([fault]: string[]) => fault.startsWith('Uncaptured WebGPU'));
  });

  it('runs a compute shader', async () => {
    const buffer = upload(Float32Array.from({ length: 1000 }, (_, i) => i));
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: {
        module: device.createShaderModule({
          code: `
            @group(0) @binding(0) var<storage, read_write> values: array<f32>;
            @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3u) {
              if (id.x < arrayLength(&values)) { values[id.x] *= 2; }
            }`,
        }),
      },
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      }),
    );
    pass.dispatchWorkgroups(Math.ceil(1000 / 64));
    pass.end();
    device.queue.submit([encoder.finish()]);
    expect(await read(buffer)).to.deep.equal(Float32Array.from({ length: 1000 }, (_, i) => 2 * i));
  });
});
