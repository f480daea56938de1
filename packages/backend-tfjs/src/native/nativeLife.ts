import { DisposedError } from '@flow-matching/tensor';

/** Whether the backend is there still, for all that it made. */
export class NativeLife {
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** @throws DisposedError after the end. */
  check(): void {
    if (this.#ended) throw new DisposedError('The tfjs backend was disposed.', { expected: 'a live backend' });
  }
}
