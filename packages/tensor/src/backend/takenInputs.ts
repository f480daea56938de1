import type { HostArray } from '../tensor/hostArray.ts';
import type { BackendArray, RunInputs } from './backend.ts';
import type { HandleComputation } from './handleComputation.ts';
import type { OwnedArray } from './ownedArray.ts';
import { isHostArray } from './runInputs.ts';
import { SharedValue } from './sharedValue.ts';

type HostArrays = Record<string, HostArray>;

/**
 * The inputs of one run as values, kept until the run ends: meanwhile the caller may dispose the arrays, and write to host arrays
 * unless the backend borrows them.
 */
export class TakenInputs<Value, Borrowed> {
  /** Values by the names of inputs. */
  readonly values: Record<string, Value | Borrowed> = Object.create(null);
  /** The references that the run holds. */
  readonly shared: SharedValue<Value>[] = [];
  readonly #computation: HandleComputation<Value, Borrowed>;
  /** Inputs that the host draws from: copies of host arrays, or the arrays to read. */
  readonly #seeds: readonly (readonly [name: string, array: HostArray | BackendArray])[];

  /**
   * @param given arrays of the computation's memory, and host arrays
   * @param seeds names of the inputs that the host draws from
   */
  constructor(given: RunInputs, seeds: readonly string[], computation: HandleComputation<Value, Borrowed>) {
    this.#computation = computation;
    this.#seeds = seeds.map((name) => [name, copied(given[name])]);
    try {
      for (const name of Object.keys(given)) this.#take(name, given[name]);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  #take(name: string, array: BackendArray | HostArray): void {
    const computation = this.#computation;
    if (isHostArray(array) && computation.borrow) {
      this.values[name] = computation.borrow(array);
      return;
    }
    const shared = isHostArray(array)
      ? new SharedValue(computation.upload(array), computation)
      : (array as OwnedArray<Value>).retain();
    this.shared.push(shared);
    this.values[name] = shared.value;
  }

  /** Adds the arrays that `draw` makes of the seeds. Waits only if reading the memory does. */
  addDraws(draw: (seeds: HostArrays) => HostArrays): void | Promise<void> {
    const seeds: HostArrays = Object.create(null);
    const reads: Promise<void>[] = [];
    for (const [name, array] of this.#seeds) {
      const { shape, dtype } = array;
      const data = isHostArray(array) ? array.data : this.#computation.read(this.values[name] as Value, array);
      if (data instanceof Promise) reads.push(data.then((read) => void (seeds[name] = { data: read, shape, dtype })));
      else seeds[name] = { data, shape, dtype };
    }
    const add = (): void => {
      const drawn = draw(seeds);
      for (const name of Object.keys(drawn)) this.#take(name, drawn[name]);
    };
    return reads.length > 0 ? Promise.all(reads).then(add) : add();
  }

  release(): void {
    for (const shared of this.shared) shared.release();
  }
}

/** A host array that later writes to the caller's leave alone; an array of the backend as it is. */
const copied = (array: HostArray | BackendArray): HostArray | BackendArray =>
  isHostArray(array) ? { data: array.data.slice(), shape: array.shape, dtype: array.dtype } : array;
