import { composite, type Composite } from '../graph/composite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { div, mul, sub } from '../operators/arithmetic.ts';
import { isFinite, where } from '../operators/logic.ts';
import { reshape, stopGradient } from '../operators/movement.ts';
import { reduceMax, reduceSum, type ReduceAttributes, type ReduceOptions } from '../operators/reduction.ts';
import { exp, log } from '../operators/transcendental.ts';
import { normalizeAxes, normalizeAxis } from '../tensor/shape.ts';

interface AxisAttributes extends Attributes {
  readonly axis: number;
}

const sumOver = (x: Tensor, axis: number): Tensor => reduceSum(x, axis, { keepdims: true });

/** x minus its maximum along the axes, so that exp stays in (0, 1]. The shift cancels in every derivative. */
const shifted = (x: Tensor, axis: number): Tensor => sub(x, stopGradient(reduceMax(x, axis, { keepdims: true })));

/** exp(x) / Σ exp(x) along one axis. */
export const Softmax: Composite<AxisAttributes> = composite<AxisAttributes>(
  'Softmax',
  ([x], { axis }) => {
    const weights = exp(shifted(x, axis));
    return div(weights, sumOver(weights, axis));
  },
  {
    vjp({ outputs: [y], attributes: { axis } }, [cotangent]) {
      const weighted = mul(cotangent!, y);
      return [sub(weighted, mul(y, sumOver(weighted, axis)))];
    },
    jvp({ outputs: [y], attributes: { axis } }, [tangent]) {
      const weighted = mul(tangent!, y);
      return [sub(weighted, mul(y, sumOver(weighted, axis)))];
    },
  },
);

/** Log of {@link Softmax}, without its underflow. */
export const LogSoftmax: Composite<AxisAttributes> = composite<AxisAttributes>(
  'LogSoftmax',
  ([x], { axis }) => {
    const below = shifted(x, axis);
    return sub(below, log(sumOver(exp(below), axis)));
  },
  {
    vjp: ({ outputs: [y], attributes: { axis } }, [cotangent]) => [
      sub(cotangent!, mul(exp(y), sumOver(cotangent!, axis))),
    ],
    jvp: ({ outputs: [y], attributes: { axis } }, [tangent]) => [sub(tangent!, sumOver(mul(exp(y), tangent!), axis))],
  },
);

const keptShape = (x: Tensor, axes: readonly number[]): number[] =>
  x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));

/** log Σ exp(x), without overflow; −∞ if every term is −∞. */
export const ReduceLogSumExp: Composite<ReduceAttributes> = composite<ReduceAttributes>(
  'ReduceLogSumExp',
  ([x], { axes, keepdims }) => {
    const peak = stopGradient(reduceMax(x, axes, { keepdims: true }));
    // An infinite peak would turn its own term into ∞ − ∞.
    const shift = where(isFinite(peak), peak, 0);
    const total = reduceSum(exp(sub(x, shift)), axes, { keepdims });
    return log(total).add(reshape(shift, total.shape));
  },
  {
    vjp({ inputs: [x], outputs: [y], attributes: { axes } }, [cotangent]) {
      const kept = keptShape(x, axes);
      return [mul(reshape(cotangent!, kept), exp(sub(x, reshape(y, kept))))];
    },
    jvp: ({ inputs: [x], outputs: [y], attributes: { axes, keepdims } }, [tangent]) => [
      reduceSum(mul(tangent!, exp(sub(x, reshape(y, keptShape(x, axes))))), axes, { keepdims }),
    ],
  },
);

/** exp(x) / Σ exp(x) along `axis`. */
export const softmax = (x: Tensor, axis = -1): Tensor => Softmax([x], { axis: normalizeAxis(axis, x.rank) })[0];

/** x − log Σ exp(x) along `axis`. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => LogSoftmax([x], { axis: normalizeAxis(axis, x.rank) })[0];

/** log Σ exp(x) over `axes` (all of them by default), which are dropped unless `keepdims`. */
export function logSumExp(
  x: Tensor,
  axes?: number | readonly number[],
  { keepdims = false }: ReduceOptions = {},
): Tensor {
  return ReduceLogSumExp([x], { axes: normalizeAxes(axes, x.rank), keepdims })[0];
}
