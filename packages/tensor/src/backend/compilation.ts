import type { HandleProgram } from './handleComputation.ts';
import type { RunQueue } from './runQueue.ts';
import type { TakenInputs } from './takenInputs.ts';

/** A program with its queue, and the programs specialized from it. */
export class Compilation<Value, Borrowed> {
  readonly program: HandleProgram<Value, Borrowed>;
  readonly #queue: RunQueue;
  readonly #variants = new Set<Promise<Compilation<Value, Borrowed>>>();

  constructor(program: HandleProgram<Value, Borrowed>, queue: RunQueue) {
    this.program = program;
    this.#queue = queue;
  }

  /** Queues a run. */
  run(inputs: TakenInputs<Value, Borrowed>): Promise<Readonly<Record<string, Value>>> {
    return this.#queue.add(() => this.#run(inputs));
  }

  #run(inputs: TakenInputs<Value, Borrowed>): ReturnType<HandleProgram<Value, Borrowed>['run']> {
    const { randomness } = this.program;
    const drawing = randomness && inputs.addDraws((seeds) => randomness.draw(seeds));
    return drawing ? drawing.then(() => this.program.run(inputs.values)) : this.program.run(inputs.values);
  }

  /** Keeps a program specialized from this one, which is disposed with it at the latest. */
  addVariant(variant: Promise<HandleProgram<Value, Borrowed>>, queue: RunQueue): Promise<Compilation<Value, Borrowed>> {
    const compiled = variant.then((program) => new Compilation(program, queue));
    this.#variants.add(compiled);
    return compiled;
  }

  /** Disposes a variant after its runs; one that failed to compile has nothing to dispose. */
  async disposeVariant(variant: Promise<Compilation<Value, Borrowed>>): Promise<void> {
    if (!this.#variants.delete(variant)) return;
    const compiled = await variant.catch(() => undefined);
    await compiled?.dispose();
  }

  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  /** Disposes the program and its variants after their runs. */
  async dispose(): Promise<void> {
    await Promise.all(Array.from(this.#variants, (variant) => this.disposeVariant(variant)));
    await this.idle();
    await this.program.dispose();
  }
}
