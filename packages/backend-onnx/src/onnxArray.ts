import {
  DisposedError,
  formatType,
  type BackendArray,
  type DType,
  type Shape,
  type TypedArray,
} from '@flow-matching/tensor';
import type { Memory } from './memory.ts';
import type { MemoryPool } from './memoryPool.ts';

/** An array of the ONNX backend: memory in this process that sessions read and write in place. */
export class OnnxArray implements BackendArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly #pool: MemoryPool;
  #memory: Memory | undefined;
  /** Number of runs that will read the memory; it returns to the pool after the last one. */
  #readers = 0;
  #disposed = false;
  /** The pending run that takes the array over if it succeeds. */
  #donation: Promise<unknown> | undefined;

  constructor(pool: MemoryPool, memory: Memory) {
    this.#pool = pool;
    this.#memory = memory;
    this.shape = memory.type.shape;
    this.dtype = memory.type.dtype;
  }

  /** True after disposal of the array or the backend, and while a run that the array was donated to is queued or running. */
  get disposed(): boolean {
    return this.#disposed || this.#donation !== undefined || this.#pool.closed;
  }

  async read(): Promise<TypedArray> {
    // If the run fails, the array is returned.
    await this.#donation?.catch(() => {});
    if (this.#disposed || this.#pool.closed) throw this.#disposedError('read');
    return this.#memory!.data.slice();
  }

  dispose(): void {
    this.#disposed = true;
    this.#release();
  }

  /** The memory, for a run that calls {@link endUse} when it is done. */
  beginUse(): Memory {
    if (this.disposed) throw this.#disposedError('used');
    this.#readers++;
    return this.#memory!;
  }

  endUse(): void {
    this.#readers--;
    this.#release();
  }

  /** Donates the array to a run that was just queued; {@link settleDonation} reports its outcome. */
  donate(run: Promise<unknown>): void {
    this.#donation = run;
  }

  /** Disposes the array if the run succeeded, and makes it usable again if it failed. */
  settleDonation(succeeded: boolean): void {
    this.#donation = undefined;
    if (succeeded) this.dispose();
  }

  /** Hands the memory over to another array, and disposes this one. */
  surrender(): Memory {
    const memory = this.#memory!;
    this.#memory = undefined;
    this.#donation = undefined;
    this.#disposed = true;
    return memory;
  }

  #release(): void {
    if (!this.#disposed || this.#readers > 0 || !this.#memory) return;
    this.#pool.give(this.#memory);
    this.#memory = undefined;
  }

  #disposedError(verb: string): DisposedError {
    if (this.#pool.closed)
      return new DisposedError('The onnx backend was disposed.', { expected: 'a backend that is not disposed' });
    return new DisposedError(`An array ${formatType(this)} was ${verb} after it was disposed or donated.`, {
      expected: 'an array that is not disposed',
      remedy: 'Use the array that the run returned in its place.',
    });
  }
}
