import { DisposedError, LostError } from '../errors.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import { formatType, type TensorType } from '../tensor/shape.ts';
import type { BackendArray } from './backend.ts';
import type { BackendLife } from './backendLife.ts';
import type { HandleComputation } from './handleComputation.ts';
import type { SharedValue } from './sharedValue.ts';

/** What an array needs of its backend. */
export interface ArrayOwner<Value> {
  readonly computation: Pick<HandleComputation<Value>, 'memory' | 'read'>;
  readonly life: BackendLife;
}

/** A handle to a value of a backend. */
export class OwnedArray<Value> implements BackendArray {
  readonly shape: TensorType['shape'];
  readonly dtype: TensorType['dtype'];
  readonly #owner: ArrayOwner<Value>;
  #shared: SharedValue<Value> | undefined;
  /** The run in progress that the array is donated to. */
  #donation: Promise<unknown> | undefined;
  #donated = false;
  /** Why the elements no longer exist. */
  #lost: LostError | undefined;

  /** Takes over one reference to the value. */
  constructor(shared: SharedValue<Value>, { shape, dtype }: TensorType, owner: ArrayOwner<Value>) {
    this.shape = shape;
    this.dtype = dtype;
    this.#owner = owner;
    this.#shared = shared;
  }

  get disposed(): boolean {
    return this.#shared === undefined || this.#donation !== undefined || this.#owner.life.ended;
  }

  isIn(memory: unknown): boolean {
    return this.#owner.computation.memory === memory;
  }

  /** The value, retained for the caller. @throws DisposedError or LostError if the array is not live. */
  retain(): SharedValue<Value> {
    const { life } = this.#owner;
    life.checkOpen();
    if (this.#shared && !this.#donation) {
      if (life.failure || this.#lost) throw this.#lostError();
      return this.#shared.retain();
    }
    const donated = this.#donated || this.#donation !== undefined;
    throw new DisposedError(`The array ${formatType(this)} was ${donated ? 'donated to a run' : 'disposed'}.`, {
      expected: 'an array that is not disposed',
      ...(donated && { remedy: 'Use the array that the run returned in its place.' }),
    });
  }

  async read(): Promise<TypedArray> {
    // If the run fails, the array is live again.
    if (this.#donation) await this.#donation.catch(() => undefined);
    const shared = this.retain();
    try {
      return await this.#owner.computation.read(shared.value, this);
    } catch (error) {
      throw this.#owner.life.failure ? this.#lostError() : error;
    } finally {
      shared.release();
    }
  }

  dispose(): void {
    this.#shared?.release();
    this.#shared = undefined;
  }

  /** Gives the array to a run that was just requested; {@link endDonation} or {@link undoDonation} follows. */
  donate(run: Promise<unknown>): void {
    this.#donation = run;
  }

  /** Disposes the array after the run has succeeded. */
  endDonation(): void {
    this.#donation = undefined;
    this.#donated = true;
    this.dispose();
  }

  /** Makes the array live again after the run has failed, or lost if the error says so. */
  undoDonation(error: unknown): void {
    this.#donation = undefined;
    if (error instanceof LostError) this.#lost = error;
  }

  #lostError(): LostError {
    const cause = this.#owner.life.failure ?? this.#lost!;
    return new LostError(`The array ${formatType(this)} is lost: ${cause.message}`, { cause });
  }
}
