/** A reference-counted buffer of the device, returned to its pool when the last reference is released. */
export class DeviceBuffer {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Identifies the buffer for the lifetime of the process. */
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
