import { bufferKey, type Program } from '../../packages/backend-webgpu/src/compiler/program.ts';
import { median } from '../statistics.ts';

const timestampBytes = 8;

/**
 * Milliseconds of each kernel of a program by the device's own clock: medians over runs of the whole program, each kernel in a pass of its
 * own. What the kernels compute on is arbitrary.
 */
export async function kernelTimes(device: GPUDevice, { kernels }: Program, runs: number): Promise<number[]> {
  const buffers = arbitraryBuffers(device, kernels);
  const steps = await Promise.all(
    kernels.map(async ({ code, label, bindings, workgroups }) => {
      const module = device.createShaderModule({ code, label });
      const pipeline = await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'main' },
      });
      const entries = bindings.map(({ buffer, bytes }, binding) => ({
        binding,
        resource: { buffer: buffers.get(bufferKey(buffer))!, size: bytes },
      }));
      return {
        pipeline,
        workgroups,
        group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      };
    }),
  );
  const count = 2 * kernels.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const size = count * timestampBytes;
  const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const times: number[][] = kernels.map(() => []);
  // The first run is not counted: it meets cold caches.
  for (let run = 0; run <= runs; run++) {
    const encoder = device.createCommandEncoder();
    for (const [i, { pipeline, group, workgroups }] of steps.entries()) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const nanoseconds = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    if (run > 0) for (const [i, list] of times.entries()) list.push(elapsed(nanoseconds, i));
  }
  for (const buffer of [...buffers.values(), resolved, staging]) buffer.destroy();
  querySet.destroy();
  return times.map(median);
}

const elapsed = (nanoseconds: BigUint64Array, kernel: number): number =>
  Number(nanoseconds[2 * kernel + 1] - nanoseconds[2 * kernel]) / 1e6;

/** A buffer for each that the kernels bind, as large as the largest binding, with small numbers in it: denormal ones are slow. */
function arbitraryBuffers(device: GPUDevice, kernels: Program['kernels']): Map<string, GPUBuffer> {
  const sizes = new Map<string, number>();
  for (const { buffer, bytes } of kernels.flatMap(({ bindings }) => bindings))
    sizes.set(bufferKey(buffer), Math.max(bytes, sizes.get(bufferKey(buffer)) ?? 0));
  return new Map(
    [...sizes].map(([key, size]) => {
      const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE, mappedAtCreation: true });
      new Float32Array(buffer.getMappedRange()).forEach((_, i, elements) => (elements[i] = (i % 17) / 160));
      buffer.unmap();
      return [key, buffer] as const;
    }),
  );
}
