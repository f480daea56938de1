import { apply } from '../graph/node.ts';
import type { Attributes, MaybeTensor, Operator, ReduceOptions } from '../graph/operator.ts';

export type { ReduceOptions };
import type { Tensor } from '../graph/tensor.ts';
import { OptionError } from '../errors.ts';
import { formatShape, normalizeAxes, type TensorType } from '../tensor/shape.ts';
import { checkDTypes, linear } from './archetypes.ts';
import { equal } from './logic.ts';
import { expand, reshape } from './movement.ts';

export interface ReduceAttributes extends Attributes {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

function reducedType(x: TensorType, { axes, keepdims }: ReduceAttributes): TensorType {
  checkDTypes([x], 'numeric');
  const shape = keepdims
    ? x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
    : x.shape.filter((_, i) => !axes.includes(i));
  return { shape, dtype: x.dtype };
}

/** A reduced tensor broadcast back to the shape before the reduction. */
function spread(reduced: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
  return expand(reshape(reduced, kept), x.shape);
}

export const ReduceSum: Operator<ReduceAttributes> = linear<ReduceAttributes>(
  'ReduceSum',
  reducedType,
  (cotangent, x, { axes }) => spread(cotangent, x, axes),
);

/** The weight of each element of `x` in the extremum `y`. */
function weights(x: Tensor, y: Tensor, axes: readonly number[]): Tensor {
  const hit = equal(x, spread(y, x, axes)).cast(x.dtype);
  return hit.div(spread(reduceSum(hit, axes), x, axes));
}

/** Maximum or minimum; elements that tie share the derivative equally. An empty reduction is refused. */
function extremum(name: string): Operator<ReduceAttributes> {
  return {
    name,
    infer([x], attributes) {
      if (attributes.axes.some((axis) => x.shape[axis] === 0)) {
        throw new OptionError(`${formatShape(x.shape)} has no element along axes ${formatShape(attributes.axes)}.`, {
          actual: x.shape,
          expected: 'one element or more to reduce over',
        });
      }
      return [reducedType(x, attributes)];
    },
    vjp: ({ inputs: [x], outputs: [y], attributes: { axes } }, [cotangent]) => [
      spread(cotangent!, x, axes).mul(weights(x, y, axes)),
    ],
    jvp: ({ inputs: [x], outputs: [y], attributes: { axes, keepdims } }, [tangent]: readonly MaybeTensor[]) => [
      reduceSum(tangent!.mul(weights(x, y, axes)), axes, { keepdims }),
    ],
  };
}

export const ReduceMax: Operator<ReduceAttributes> = extremum('ReduceMax');
export const ReduceMin: Operator<ReduceAttributes> = extremum('ReduceMin');

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor;

function reduce(operator: () => Operator<ReduceAttributes>): Reduce {
  return (x, axes, { keepdims = false } = {}) => {
    const normalized = normalizeAxes(axes, x.rank);
    return normalized.length === 0 ? x : apply(operator(), [x], { axes: normalized, keepdims })[0];
  };
}

export const reduceSum: Reduce = reduce(() => ReduceSum);
export const reduceMax: Reduce = reduce(() => ReduceMax);
export const reduceMin: Reduce = reduce(() => ReduceMin);
