/** Orders runs, and knows when all of them have ended. */
export class RunQueue {
  readonly #atOnce: boolean;
  #last: Promise<unknown> = Promise.resolve();

  /** @param atOnce whether runs start when they are added, because the device orders them; otherwise each waits for the one before */
  constructor({ atOnce = false } = {}) {
    this.#atOnce = atOnce;
  }

  add<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#atOnce ? started(run) : this.#last.then(run);
    // Whoever requested a run learns of its failure; the next run starts regardless.
    const end = result.then(nothing, nothing);
    const before = this.#last;
    this.#last = this.#atOnce ? end.then(() => before) : end;
    return result;
  }

  async idle(): Promise<void> {
    await this.#last;
  }
}

const started = async <T>(run: () => T | Promise<T>): Promise<T> => run();

// What runs return is not kept.
const nothing = (): void => undefined;
