/** A buffer of the device, shared by whoever holds it and given back to its pool by the last. */
export class DeviceBuffer {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Tells buffers apart, for as long as the process lives. */
  readonly id: number;
  readonly #release: (buffer: DeviceBuffer) => void;
  #holders = 1;

  constructor(buffer: GPUBuffer, id: number, release: (buffer: DeviceBuffer) => void) {
    this.buffer = buffer;
    this.bytes = buffer.size;
    this.id = id;
    this.#release = release;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.#release(this);
  }
}
