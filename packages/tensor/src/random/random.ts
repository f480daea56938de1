import type { Tensor } from '../graph/tensor.ts';
import { randomNormal, randomSign, randomUniform } from '../composites/random.ts';
import { constant } from '../operators/constant.ts';
import { concat, reshape } from '../operators/movement.ts';
import type { Shape } from '../tensor/shape.ts';

/** The position of a draw among all draws of an experiment. All parts are u32. */
export interface RandomPosition {
  /** The seed as two words, [2]. */
  readonly key: Tensor;
  /** Index of the first sample of the batch, []. */
  readonly firstSample: Tensor;
  /** Training step, batch number, …, []. */
  readonly step: Tensor;
}

/**
 * Random draws inside a graph. Each is a pure function of (seed, stream, sample index, step). Streams are numbered by call
 * order within a trace, so the same formula draws the same values on every backend, on every rank and after a resume.
 *
 * Shapes are [batch, …]: the draws of sample i do not depend on its batch.
 */
export class Random {
  readonly #position: RandomPosition;
  #stream: number;

  /** `stream` is the number of the first stream; drivers start far from one another so that their streams do not overlap. */
  constructor(position: RandomPosition, stream = 0) {
    this.#position = position;
    this.#stream = stream;
  }

  #next(): [key: Tensor, counter: Tensor] {
    const { key, firstSample, step } = this.#position;
    const block = constant([0], 'u32');
    const stream = constant([this.#stream++], 'u32');
    return [key, concat([block, reshape(firstSample, [1]), reshape(step, [1]), stream], 0)];
  }

  /** Standard normals, f32. */
  normal(shape: Shape): Tensor {
    return randomNormal(...this.#next(), shape);
  }
  /** Uniforms on the 2⁻²⁴ grid of [0, 1), f32. */
  uniform(shape: Shape): Tensor {
    return randomUniform(...this.#next(), shape);
  }
  /** ±1 with equal probability, f32. */
  sign(shape: Shape): Tensor {
    return randomSign(...this.#next(), shape);
  }
}
