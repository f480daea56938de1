import { DTypeError } from '../errors.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attributes, MaybeTensor, Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { isFloat, type DType } from '../tensor/dtype.ts';
import { broadcastShapes, sameShape, type TensorType } from '../tensor/shape.ts';

/** The dtypes that an operator accepts. */
export type Kinds = 'float' | 'numeric' | 'bool' | 'any';

const accepts: Record<Kinds, (dtype: DType) => boolean> = {
  float: isFloat,
  numeric: (dtype) => dtype !== 'bool',
  bool: (dtype) => dtype === 'bool',
  any: () => true,
};

/** Throws a DTypeError unless all inputs have one dtype, of a kind that the operator accepts. */
export function checkDTypes(inputs: readonly TensorType[], kinds: Kinds): void {
  const dtype = inputs[0].dtype;
  const mismatch = inputs.find((input) => input.dtype !== dtype);
  if (mismatch) {
    throw new DTypeError(`Operands are of different dtypes, ${dtype} and ${mismatch.dtype}.`, {
      actual: inputs.map((input) => input.dtype),
      expected: 'operands of one dtype',
      remedy: 'Convert one of them with cast().',
    });
  }
  if (!accepts[kinds](dtype)) {
    throw new DTypeError(`The dtype ${dtype} is not supported.`, { actual: dtype, expected: `a ${kinds} dtype` });
  }
}

/** A partial derivative: a tensor, the constant ±1, or undefined if it is zero. */
export type Partial = (inputs: readonly Tensor[], output: Tensor) => Tensor | 1 | -1 | undefined;

function times(tangent: Tensor, partial: Tensor | 1 | -1): Tensor {
  if (partial === 1) return tangent;
  return partial === -1 ? tangent.neg() : tangent.mul(partial);
}

/** Sums a cotangent over the axes along which its operand was broadcast. */
export function unbroadcast(cotangent: Tensor, type: TensorType): Tensor {
  if (sameShape(cotangent.shape, type.shape)) return cotangent;
  const lead = cotangent.rank - type.shape.length;
  const axes = cotangent.shape.flatMap((extent, axis) =>
    axis < lead || (type.shape[axis - lead] === 1 && extent !== 1) ? [axis] : [],
  );
  return cotangent.sum(axes).reshape(type.shape);
}

/** The sum of two tensors, where undefined is zero. */
export function addMaybe(a: MaybeTensor, b: MaybeTensor): MaybeTensor {
  return a && b ? a.add(b) : (a ?? b);
}

/**
 * An elementwise operator on broadcast operands of one dtype. Both derivatives follow from its partials; without partials it is
 * locally constant.
 */
export function elementwise(
  name: string,
  kinds: Kinds,
  partials: readonly Partial[] = [],
  resultDType?: DType,
): Operator {
  const differentiable = partials.length > 0;
  return {
    name,
    broadcasts: true,
    infer(inputs) {
      checkDTypes(inputs, kinds);
      return [{ shape: broadcastShapes(...inputs.map((input) => input.shape)), dtype: resultDType ?? inputs[0].dtype }];
    },
    ...(differentiable && {
      vjp({ inputs, outputs }: Node, [cotangent]: readonly MaybeTensor[]) {
        return inputs.map((_, i) => {
          const partial = partials[i](inputs, outputs[0]);
          return partial === undefined ? undefined : times(cotangent!, partial);
        });
      },
      jvp({ inputs, outputs }: Node, tangents: readonly MaybeTensor[]) {
        const sum = tangents.reduce<MaybeTensor>((total, tangent, i) => {
          const partial = tangent && partials[i](inputs, outputs[0]);
          return addMaybe(total, tangent && partial !== undefined ? times(tangent, partial) : undefined);
        }, undefined);
        return [sum];
      },
    }),
  };
}

/** An operator that is linear in its one input: it is applied to the tangent, its transpose to the cotangent. */
export function linear<A extends Attributes>(
  name: string,
  infer: (input: TensorType, attributes: A) => TensorType,
  transpose: (cotangent: Tensor, input: Tensor, attributes: A) => Tensor,
): Operator<A> {
  const operator: Operator<A> = {
    name,
    infer([input], attributes) {
      return [infer(input, attributes)];
    },
    vjp({ inputs, attributes }, [cotangent]) {
      return [transpose(cotangent!, inputs[0], attributes)];
    },
    jvp({ attributes }, [tangent]) {
      return apply(operator, [tangent!], attributes);
    },
  };
  return operator;
}

/** An operator that is linear in each of two inputs (a product of some kind). */
export function bilinear<A extends Attributes>(
  name: string,
  infer: (a: TensorType, b: TensorType, attributes: A) => TensorType,
  transposes: readonly [
    (cotangent: Tensor, b: Tensor, a: Tensor, attributes: A) => Tensor,
    (cotangent: Tensor, a: Tensor, b: Tensor, attributes: A) => Tensor,
  ],
): Operator<A> {
  const operator: Operator<A> = {
    name,
    infer(inputs, attributes) {
      checkDTypes(inputs, 'numeric');
      return [infer(inputs[0], inputs[1], attributes)];
    },
    vjp({ inputs, attributes }, [cotangent]) {
      const [a, b] = inputs as [Tensor, Tensor];
      return [transposes[0](cotangent!, b, a, attributes), transposes[1](cotangent!, a, b, attributes)];
    },
    jvp({ inputs, attributes }, [da, db]) {
      const [a, b] = inputs as [Tensor, Tensor];
      return [addMaybe(da && apply(operator, [da, b], attributes)[0], db && apply(operator, [a, db], attributes)[0])];
    },
  };
  return operator;
}
