import { BackendError } from '@flow-matching/tensor';
import { DeviceBuffer } from './deviceBuffer.ts';

/** Bytes of unused buffers kept for reuse. */
const mostKept = 256 * 2 ** 20;

/**
 * Buffers by size. Work of a device is done in the order in which it is submitted, so a buffer can go to its next holder while work for the
 * last one is still queued.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, DeviceBuffer[]>();
  #freeBytes = 0;
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer of `bytes` or somewhat more, with anything in it. @throws BackendError for one that is larger than the device allows. */
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

/** Sizes are few: multiples of 256 bytes, and of an eighth of the power of two below. */
function rounded(bytes: number): number {
  const grain = Math.max(256, 2 ** Math.floor(Math.log2(Math.max(1, bytes))) / 8);
  return Math.ceil(Math.max(1, bytes) / grain) * grain;
}
