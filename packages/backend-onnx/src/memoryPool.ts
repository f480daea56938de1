import { allocate, bytesPerElement, formatType, sizeOf, type TensorType } from '@flow-matching/tensor';
import { Memory } from './memory.ts';

/** Kept beyond what executables write, for arrays that come and go between runs. */
const slackBytes = 16 * 2 ** 20;

/**
 * Memory that runs write into, used again by type. It keeps at most one set of outputs of each live executable and a little more:
 * what two alternating sets of parameters need, whatever else the caller creates and disposes.
 */
export class MemoryPool {
  readonly #free = new Map<string, Memory[]>();
  #freeBytes = 0;
  #limit = slackBytes;
  #closed = false;

  /** Whether the backend was disposed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Memory for `type` with unspecified content. */
  take(type: TensorType): Memory {
    const reused = this.#free.get(formatType(type))?.pop();
    if (!reused) return new Memory(allocate(type.dtype, sizeOf(type.shape)), type);
    this.#freeBytes -= bytesOf(type);
    return reused;
  }

  /** Returns memory from {@link take} to the pool; the caller must not use it afterwards. */
  give(memory: Memory): void {
    const bytes = bytesOf(memory.type);
    if (this.#closed || this.#freeBytes + bytes > this.#limit) return;
    const key = formatType(memory.type);
    const list = this.#free.get(key);
    if (list) list.push(memory);
    else this.#free.set(key, [memory]);
    this.#freeBytes += bytes;
  }

  /** Room for one set of arrays of `types`, until {@link unreserve}. */
  reserve(types: readonly TensorType[]): void {
    this.#limit += totalBytes(types);
  }

  unreserve(types: readonly TensorType[]): void {
    this.#limit -= totalBytes(types);
    // The pool does not know which executable an array was kept for, so it drops all.
    if (this.#freeBytes > this.#limit) this.clear();
  }

  clear(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  /** Ends the pool with its backend: nothing is kept from now on. */
  close(): void {
    this.#closed = true;
    this.clear();
  }
}

const bytesOf = ({ shape, dtype }: TensorType): number => sizeOf(shape) * bytesPerElement(dtype);
const totalBytes = (types: readonly TensorType[]): number => types.reduce((sum, type) => sum + bytesOf(type), 0);
