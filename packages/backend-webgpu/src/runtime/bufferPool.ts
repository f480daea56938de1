import { BackendError } from '@flow-matching/tensor';
import { DeviceBuffer } from './deviceBuffer.ts';

/** Bytes of unused buffers kept for reuse. */
const mostKept = 256 * 2 ** 20;

/**
 * A pool of buffers by size. A device executes work in the order of submission, so a buffer can be reused while work of its
 * last holder is still queued.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, DeviceBuffer[]>();
  #freeBytes = 0;
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer of at least `bytes`, with arbitrary content. @throws BackendError if it is larger than the device allows. */
  take(bytes: number): DeviceBuffer {
    const { maxBufferSize } = this.#device.limits;
    const size = Math.min(rounded(bytes), maxBufferSize);
    if (size < bytes) {
      throw new BackendError(`A buffer of ${bytes} bytes is more than the device has.`, {
        actual: bytes,
        expected: `at most ${maxBufferSize} bytes (maxBufferSize)`,
        remedy: 'Use smaller batches.',
      });
    }
    const kept = this.#free.get(size)?.pop();
    if (kept) {
      this.#freeBytes -= size;
      return kept.hold();
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.#device.createBuffer({ size, usage });
    return new DeviceBuffer(buffer, this.#nextId++, (released) => this.#giveBack(released));
  }

  #giveBack(buffer: DeviceBuffer): void {
    if (this.#freeBytes + buffer.bytes > mostKept) {
      buffer.buffer.destroy();
      return;
    }
    this.#freeBytes += buffer.bytes;
    this.#free.set(buffer.bytes, [...(this.#free.get(buffer.bytes) ?? []), buffer]);
  }
}

/** Limits the number of different sizes: multiples of 256 bytes, and of an eighth of the power of two below. */
function rounded(bytes: number): number {
  const grain = Math.max(256, 2 ** Math.floor(Math.log2(Math.max(1, bytes))) / 8);
  return Math.ceil(Math.max(1, bytes) / grain) * grain;
}
