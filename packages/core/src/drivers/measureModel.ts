import type { ModelContext, VectorFieldModel } from '../contracts/model.ts';
import { OptionError } from '../errors.ts';
import { flattenTree } from '../graph/tree.ts';
import { HostRandomStream } from '../random/hostRandomStream.ts';
import { hostArray, type HostArray } from '../tensor/hostArray.ts';
import { sizeOf, type Shape } from '../tensor/shape.ts';

/** What a model's parameters will be. */
export interface ModelMeasure {
  /** By dotted name; the values are not those of a model. */
  readonly parameters: Readonly<Record<string, HostArray>>;
  /** Numbers in all of them. */
  readonly size: number;
}

/**
 * Names, shapes and number of a model's parameters, found without drawing them: memory of zeros takes no room before it is written to.
 *
 * @param limit most numbers of all parameters
 * @throws OptionError where there are more.
 */
export function measureModel(model: VectorFieldModel, context: ModelContext, limit: number): ModelMeasure {
  const random = new MeasuringStream(limit);
  try {
    const named = flattenTree<HostArray>(model.init(random, context));
    const size = named.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
    if (size > limit) throw tooLarge(size, limit);
    return { parameters: Object.fromEntries(named), size };
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(random.drawn, limit, cause);
    throw cause;
  }
}

const tooLarge = (size: number, limit: number, cause?: unknown): OptionError =>
  new OptionError(`The model has ${size} parameters or more.`, {
    actual: size,
    expected: `at most ${Math.floor(limit)}`,
    remedy: 'Make it smaller.',
    cause,
  });

/** Gives zeros, and throws before they are too many. */
class MeasuringStream extends HostRandomStream {
  readonly #limit: number;
  drawn = 0;

  constructor(limit: number) {
    super(0);
    this.#limit = limit;
  }

  override normal(shape: Shape): HostArray {
    return this.#zeros(shape);
  }

  override uniform(shape: Shape): HostArray {
    return this.#zeros(shape);
  }

  #zeros(shape: Shape): HostArray {
    this.drawn += sizeOf(shape);
    if (!(this.drawn <= this.#limit)) throw tooLarge(this.drawn, this.#limit);
    return hostArray(new Float32Array(sizeOf(shape)), shape, 'f32');
  }
}
