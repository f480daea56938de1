import type { Tensor } from '../graph/tensor.ts';
import type { HostArray } from '../tensor/hostArray.ts';

/** log N(x; 0, std² I) of each sample [batch], nats; x is [batch, ...event]. */
export function priorLogDensity(x: Tensor, std: number): Tensor {
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  const dimension = x.size / x.shape[0];
  return x
    .square()
    .sum(axes)
    .mul(-0.5 / std ** 2)
    .sub(dimension * (Math.log(std) + 0.5 * Math.log(2 * Math.PI)));
}

/** The same on the host, in f64. */
export function hostPriorLogDensity({ data, shape }: HostArray, std: number): Float64Array {
  const count = shape[0];
  const dimension = data.length / count;
  const constant = dimension * (Math.log(std) + 0.5 * Math.log(2 * Math.PI));
  return Float64Array.from({ length: count }, (_, row) => {
    let squares = 0;
    for (let i = row * dimension; i < (row + 1) * dimension; i++) squares += data[i] * data[i];
    return (-0.5 * squares) / std ** 2 - constant;
  });
}
