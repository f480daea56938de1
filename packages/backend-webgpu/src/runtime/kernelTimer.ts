import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';

/** Bytes of one time: nanoseconds as u64. */
const timeBytes = 8;

/** Records when each kernel of a run begins and ends. */
export class KernelTimer {
  readonly #session: DeviceSession;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #times: DeviceBuffer;
  readonly #count: number;

  /** Requires the device feature timestamp-query. */
  constructor(session: DeviceSession, count: number) {
    this.#session = session;
    this.#count = 2 * count;
    const { device } = session;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: this.#count });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.#resolved = device.createBuffer({ size: this.#count * timeBytes, usage });
    this.#times = session.pool.take(this.#count * timeBytes);
  }

  /** The timestamp writes for the pass of a kernel. */
  timestampWrites(kernel: number): GPUComputePassTimestampWrites {
    return {
      querySet: this.#queries,
      beginningOfPassWriteIndex: 2 * kernel,
      endOfPassWriteIndex: 2 * kernel + 1,
    };
  }

  /** Copies the times of a run to a readable buffer. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, this.#count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#times.buffer, 0, this.#count * timeBytes);
  }

  /** Milliseconds of each kernel in the last run. */
  async read(): Promise<number[]> {
    const times = new BigUint64Array(await this.#session.read(this.#times, 0, this.#count * timeBytes));
    return Array.from({ length: this.#count / 2 }, (_, i) => Number(times[2 * i + 1] - times[2 * i]) / 1e6);
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#times.release();
  }
}
