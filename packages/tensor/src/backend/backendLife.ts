import { DisposedError } from '../errors.ts';

/** Whether a backend can be used, shared by its arrays and executables. */
export class BackendLife {
  readonly name: string;
  readonly #failure: () => Error | undefined;
  #ended = false;

  /** @param failure the error with which the device has failed, if it has */
  constructor(name: string, failure: () => Error | undefined) {
    this.name = name;
    this.#failure = failure;
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** The error with which the device has failed. */
  get failure(): Error | undefined {
    return this.#failure();
  }

  /** @throws DisposedError after disposal. */
  checkOpen(): void {
    if (!this.#ended) return;
    throw new DisposedError(`The ${this.name} backend was disposed.`, {
      expected: 'a backend that is not disposed',
      remedy: 'Create another one.',
    });
  }

  /** @throws DisposedError after disposal; the device's error after it has failed. */
  check(): void {
    this.checkOpen();
    const { failure } = this;
    if (failure) throw failure;
  }
}
