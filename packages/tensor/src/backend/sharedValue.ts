/** A value that arrays and runs share; the last one to release it frees it. */
export class SharedValue<Value> {
  readonly value: Value;
  readonly #memory: { free(value: Value): void };
  #holders = 1;

  constructor(value: Value, memory: { free(value: Value): void }) {
    this.value = value;
    this.#memory = memory;
  }

  retain(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.#memory.free(this.value);
  }
}
