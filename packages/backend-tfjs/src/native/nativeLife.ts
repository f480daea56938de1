import { DisposedError } from '@flow-matching/tensor';

/** The lifetime of the backend, shared by everything it creates. */
export class NativeLife {
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** @throws DisposedError after disposal of the backend. */
  check(): void {
    if (this.#ended)
      throw new DisposedError('The tfjs backend was disposed.', { expected: 'a backend that is not disposed' });
  }
}
