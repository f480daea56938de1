import { composite, type Composite } from '../graph/composite.ts';
import type { Tensor } from '../graph/tensor.ts';
import { expand, reshape } from '../operators/movement.ts';
import { reduceSum, type ReduceAttributes, type ReduceOptions } from '../operators/reduction.ts';
import { normalizeAxes } from '../tensor/shape.ts';

const countOver = (x: Tensor, axes: readonly number[]): number =>
  axes.reduce((count, axis) => count * x.shape[axis], 1);

/** Arithmetic mean over `axes`; NaN if there are no elements, as in NumPy. */
export const ReduceMean: Composite<ReduceAttributes> = composite<ReduceAttributes>(
  'ReduceMean',
  ([x], { axes, keepdims }) => reduceSum(x, axes, { keepdims }).div(countOver(x, axes)),
  {
    vjp({ inputs: [x], attributes: { axes } }, [cotangent]) {
      const kept = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
      return [expand(reshape(cotangent!.div(countOver(x, axes)), kept), x.shape)];
    },
    jvp: ({ attributes }, [tangent]) => ReduceMean([tangent!], attributes),
  },
);

interface VarianceAttributes extends ReduceAttributes {
  /** Subtracted from the count in the denominator: 0 for the population variance, 1 for Bessel's correction. */
  readonly correction: number;
}

/** Mean squared deviation from the mean, in two passes, so that a large mean does not cancel. */
export const Variance: Composite<VarianceAttributes> = composite<VarianceAttributes>(
  'Variance',
  ([x], { axes, keepdims, correction }) => {
    const deviation = x.sub(mean(x, axes, { keepdims: true }));
    return reduceSum(deviation.square(), axes, { keepdims }).div(countOver(x, axes) - correction);
  },
);

export interface VarianceOptions extends ReduceOptions {
  /** 0 (the default) divides by the count, 1 by the count minus one. */
  readonly correction?: number;
}

/** Arithmetic mean over `axes` (all of them by default), which are dropped unless `keepdims`. */
export function mean(x: Tensor, axes?: number | readonly number[], { keepdims = false }: ReduceOptions = {}): Tensor {
  return ReduceMean([x], { axes: normalizeAxes(axes, x.rank), keepdims })[0];
}

/** Variance over `axes` (all of them by default), which are dropped unless `keepdims`. */
export function variance(
  x: Tensor,
  axes?: number | readonly number[],
  { keepdims = false, correction = 0 }: VarianceOptions = {},
): Tensor {
  return Variance([x], { axes: normalizeAxes(axes, x.rank), keepdims, correction })[0];
}
