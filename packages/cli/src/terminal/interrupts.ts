import { InterruptedError } from '../errors.ts';
import type { Output } from './output.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Turns the first interrupt into an abort, so that work can end cleanly; the second one ends the process immediately. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  readonly #output: Output;
  readonly #announcement: string;
  readonly #listen = (signal: NodeJS.Signals): void => this.#interrupt(signal);

  /** @param announcement message printed at the first interrupt. */
  constructor(output: Output, announcement: string) {
    this.#output = output;
    this.#announcement = announcement;
    for (const signal of signals) process.on(signal, this.#listen);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #interrupt(signal: NodeJS.Signals): void {
    if (!this.signal.aborted) {
      this.#output.interruptedBy = signal;
      this.#output.warn(this.#announcement);
      this.#controller.abort(new InterruptedError('Interrupted.'));
      return;
    }
    this.#output.endProgress();
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#listen);
  }
}
