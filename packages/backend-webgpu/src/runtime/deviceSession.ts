import { BackendError, DisposedError } from '@flow-matching/tensor';
import type { Binding, Kernel } from '../compiler/program.ts';
import { BufferPool } from './bufferPool.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';

/** Maximum number of submissions that may wait for the device; more would only take up memory. */
const mostUnderWay = 3;
/** Number of writes after which the queue is flushed: without a submission, writes accumulate in memory. */
const mostWrites = 16;

/** The kinds of buffers that a kernel binds, and the pipeline layout. */
export interface BindingLayout {
  readonly group: GPUBindGroupLayout;
  readonly layout: GPUPipelineLayout;
}

/** Number of pipelines kept for later programs: drivers use some hundred KiB for each. */
const mostPipelines = 128;

/** A device and its shared resources: buffers, pipelines, the queue, and its failure, if it has failed. */
export class DeviceSession {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, BindingLayout>();
  readonly #scratch = new Map<string, { readonly buffer: DeviceBuffer; users: number }>();
  readonly #underWay: Promise<unknown>[] = [];
  #failure: BackendError | undefined;
  #writes = 0;
  #disposed = false;

  constructor(device: GPUDevice) {
    this.device = device;
    this.pool = new BufferPool(device);
    device.addEventListener('uncapturederror', ({ error }) => {
      this.#failure ??= new BackendError(`WebGPU: ${error.message}`, { cause: error });
    });
    void device.lost.then(({ reason, message }) => {
      if (this.#disposed) return;
      this.#failure = new BackendError(`The GPU device was lost (${reason}): ${message}`, {
        actual: reason,
        expected: 'a live device',
        remedy: 'Make a new backend and restore the training from its last checkpoint.',
      });
    });
  }

  /** The error with which the device has failed. */
  get failure(): BackendError | undefined {
    return this.#failure;
  }

  /**
   * A pipeline, created once for all kernels with the same code among the last {@link mostPipelines}. Programs keep theirs.
   *
   * @throws BackendError if WebGPU refuses the code.
   */
  pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    const { code } = kernel;
    const known = this.#pipelines.get(code);
    const made =
      known ??
      this.#makePipeline(kernel).catch((error: unknown) => {
        this.#pipelines.delete(code);
        throw error;
      });
    // The most recently used is last; the first is dropped.
    this.#pipelines.delete(code);
    this.#pipelines.set(code, made);
    if (this.#pipelines.size > mostPipelines) this.#pipelines.delete(this.#pipelines.keys().next().value!);
    return made;
  }

  async #makePipeline({ code, label, bindings }: Kernel): Promise<GPUComputePipeline> {
    const { device } = this;
    // An error of this kernel is not a failure of the device.
    device.pushErrorScope('validation');
    const { layout } = this.layoutOf(bindings);
    const module = device.createShaderModule({ code, label });
    const made = device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } });
    const [pipeline, error] = await Promise.allSettled([made, device.popErrorScope()]);
    if (pipeline.status === 'fulfilled') return pipeline.value;
    const found = error.status === 'fulfilled' ? error.value?.message : undefined;
    throw new BackendError(`WebGPU refuses the kernel ${label}: ${found ?? (pipeline.reason as Error).message}`, {
      cause: pipeline.reason,
    });
  }

  /** The layout of a kernel's bindings, shared by all kernels with the same pattern of reads and writes: drivers keep memory for each layout. */
  layoutOf(bindings: readonly Binding[]): BindingLayout {
    const key = bindings.map(({ writes }) => (writes ? 'w' : 'r')).join('');
    const known = this.#layouts.get(key);
    if (known) return known;
    const group = this.device.createBindGroupLayout({
      entries: bindings.map(({ writes }, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: writes ? 'storage' : 'read-only-storage' },
      })),
    });
    const layout = { group, layout: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.#layouts.set(key, layout);
    return layout;
  }

  get pipelineCount(): number {
    return this.#pipelines.size;
  }

  /**
   * Buffers for the intermediates of a run, one for each of `sizes`. All programs share them, because the device executes runs
   * one after another.
   */
  takeScratch(sizes: readonly number[]): { readonly buffers: readonly DeviceBuffer[]; readonly release: () => void } {
    const taken = new Map<number, number>();
    const keys = sizes.map((bytes) => {
      const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
      const nth = taken.get(size) ?? 0;
      taken.set(size, nth + 1);
      return { key: `${size} ${nth}`, size: Math.min(size, this.device.limits.maxBufferSize) };
    });
    const shared = keys.map(({ key, size }) => {
      const known = this.#scratch.get(key) ?? { buffer: this.pool.take(size), users: 0 };
      known.users++;
      this.#scratch.set(key, known);
      return known.buffer;
    });
    return {
      buffers: shared,
      release: () => {
        for (const { key } of keys) {
          const entry = this.#scratch.get(key)!;
          if (--entry.users > 0) continue;
          entry.buffer.release();
          this.#scratch.delete(key);
        }
      },
    };
  }

  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView): void {
    if (data.byteLength === 0) return;
    this.device.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource);
    if (++this.#writes >= mostWrites) this.submit([]);
  }

  submit(commands: readonly GPUCommandBuffer[]): void {
    this.#writes = 0;
    this.device.queue.submit(commands);
  }

  /** Resolves when the device is at most a few submissions behind. */
  async keepUp(): Promise<void> {
    // If the device fails meanwhile, reading the results throws.
    this.#underWay.push(this.device.queue.onSubmittedWorkDone().catch(() => undefined));
    if (this.#underWay.length > mostUnderWay) await this.#underWay.shift();
  }

  /** A copy of a part of a buffer, after all work submitted before is done. */
  async read(from: DeviceBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = this.device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from.buffer, offset, staging, 0, bytes);
    this.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
      if (this.#failure) throw this.#failure;
      return staging.getMappedRange().slice(0);
    } catch (cause) {
      if (this.#disposed)
        throw new DisposedError('The webgpu backend was disposed.', { expected: 'a backend that is not disposed' });
      throw this.#failure ?? new BackendError('WebGPU could not read an array.', { cause });
    } finally {
      staging.destroy();
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.device.queue.onSubmittedWorkDone().catch(() => undefined);
    this.device.destroy();
  }
}
