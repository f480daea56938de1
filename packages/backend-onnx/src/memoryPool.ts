import { allocate, bytesPerElement, formatType, sizeOf, type TensorType } from '@flow-matching/tensor';
import { Memory } from './memory.ts';

/** Memory kept beyond the outputs of graphs, for arrays that are created and disposed between runs. */
const slackBytes = 16 * 2 ** 20;

/**
 * A pool of memory for the outputs of runs, reused by type. It keeps at most one set of outputs per compiled graph plus a
 * little slack, which is enough for two alternating sets of parameters, regardless of other arrays of the caller.
 */
export class MemoryPool {
  readonly #free = new Map<string, Memory[]>();
  #freeBytes = 0;
  #limit = slackBytes;
  #closed = false;

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

  /** Reserves room for one set of arrays of `types`, until {@link unreserve}. */
  reserve(types: readonly TensorType[]): void {
    this.#limit += totalBytes(types);
  }

  unreserve(types: readonly TensorType[]): void {
    this.#limit -= totalBytes(types);
    // The pool does not know which graph an array was kept for, so it drops all.
    if (this.#freeBytes > this.#limit) this.clear();
  }

  clear(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  /** Closes the pool with its backend: nothing is kept afterwards. */
  close(): void {
    this.#closed = true;
    this.clear();
  }
}

const bytesOf = ({ shape, dtype }: TensorType): number => sizeOf(shape) * bytesPerElement(dtype);
const totalBytes = (types: readonly TensorType[]): number => types.reduce((sum, type) => sum + bytesOf(type), 0);
