import { hostArray, type HostArray } from '../tensor/hostArray.ts';
import { sizeOf, type Shape } from '../tensor/shape.ts';
import { hostRandomNormal, hostRandomUniform } from './host.ts';
import { seedKey, streams } from './seed.ts';

/** Random arrays on the host: initial parameters, synthetic data. Each draw uses the next stream, so equal call sequences give equal arrays. */
export class HostRandomStream {
  readonly #key: Uint32Array;
  readonly #step: number;
  #stream: number;

  constructor(seed: number, stream: number = streams.parameters, step = 0) {
    this.#key = seedKey(seed);
    this.#stream = stream;
    this.#step = step;
  }

  #counter(): Uint32Array {
    return Uint32Array.of(0, 0, this.#step, this.#stream++);
  }

  /** Standard normals times `std`. */
  normal(shape: Shape, std = 1): HostArray {
    return this.#scaled(hostRandomNormal(this.#key, this.#counter(), [1, sizeOf(shape)]), shape, (z) => z * std);
  }

  /** Uniforms on [low, high). */
  uniform(shape: Shape, low = 0, high = 1): HostArray {
    return this.#scaled(
      hostRandomUniform(this.#key, this.#counter(), [1, sizeOf(shape)]),
      shape,
      (u) => low + (high - low) * u,
    );
  }

  #scaled({ data }: HostArray, shape: Shape, scale: (value: number) => number): HostArray {
    for (let i = 0; i < data.length; i++) data[i] = scale(data[i]);
    return hostArray(data, shape, 'f32');
  }
}
