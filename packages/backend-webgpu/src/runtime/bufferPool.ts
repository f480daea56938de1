import { BackendError } from '@flow-matching/core';
import { DeviceBuffer } from './deviceBuffer.ts';

/** Bytes of buffers without a holder that are kept for the next one. */
const mostKept = 256 * 2 ** 20;

/**
 * Buffers by size. Work of a device is done in the order in which it is submitted, so a buffer can go to its next holder while work for the
 * last one is still on its way.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, DeviceBuffer[]>();
  #freeBytes = 0;
  #nextId = 0;
  #disposed = false;
  /** Bytes of all buffers of the pool that are with a holder. */
  heldBytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer of `bytes` or somewhat more, with anything in it. @throws BackendError for one that is larger than the device allows. */
  take(bytes: number): DeviceBuffer {
    const size = rounded(bytes);
    const { maxBufferSize } = this.#device.limits;
    if (size > maxBufferSize) {
      throw new BackendError(`A buffer of ${bytes} bytes is more than the device has.`, {
        actual: bytes,
        expected: `at most ${maxBufferSize} bytes (maxBufferSize)`,
        remedy: 'Use smaller batches.',
      });
    }
    this.heldBytes += size;
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
    this.heldBytes -= buffer.bytes;
    if (this.#disposed || this.#freeBytes + buffer.bytes > mostKept) {
      buffer.buffer.destroy();
      return;
    }
    this.#freeBytes += buffer.bytes;
    this.#free.set(buffer.bytes, [...(this.#free.get(buffer.bytes) ?? []), buffer]);
  }

  dispose(): void {
    this.#disposed = true;
    for (const { buffer } of [...this.#free.values()].flat()) buffer.destroy();
    this.#free.clear();
  }
}

/** Sizes are few: multiples of 256 bytes, and of an eighth of the power of two below. */
function rounded(bytes: number): number {
  const grain = Math.max(256, 2 ** Math.floor(Math.log2(Math.max(1, bytes))) / 8);
  return Math.ceil(Math.max(1, bytes) / grain) * grain;
}
