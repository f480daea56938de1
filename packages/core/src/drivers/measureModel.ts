import type { ModelContext, Parameters, VectorFieldModel } from '../contracts/model.ts';
import { ModelSizeError } from '../errors.ts';
import { flattenTree, HostRandomStream, hostArray, type HostArray, sizeOf, type Shape } from '@flow-matching/tensor';

/** Names, shapes and total size of a model's parameters. */
export interface ModelMeasure {
  /** As the model nests them; the values are meaningless. */
  readonly parameters: Parameters;
  /** Total number of elements. */
  readonly size: number;
}

/**
 * Finds the names, shapes and number of a model's parameters without drawing them: zeroed memory is not allocated before it is
 * written.
 *
 * @param limit largest allowed number of elements in all parameters
 * @throws ModelSizeError if there are more.
 */
export function measureModel(model: VectorFieldModel, context: ModelContext, limit: number): ModelMeasure {
  const random = new MeasuringStream(limit);
  try {
    const parameters = model.init(random, context);
    const size = flattenTree<HostArray>(parameters).reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
    if (size > limit) throw new ModelSizeError(size, limit);
    return { parameters, size };
  } catch (cause) {
    if (cause instanceof RangeError) throw new ModelSizeError(random.drawn, limit, cause);
    throw cause;
  }
}

/** Returns zeros, and throws before there are too many. */
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
    if (!(this.drawn <= this.#limit)) throw new ModelSizeError(this.drawn, this.#limit);
    return hostArray(new Float32Array(sizeOf(shape)), shape, 'f32');
  }
}
