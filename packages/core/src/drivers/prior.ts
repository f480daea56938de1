import type { Path } from '../contracts/path.ts';
import { type Tensor, constant, type HostArray, type Shape } from '@flow-matching/tensor';

type PriorStd = Path['priorStd'];

/** Turns standard normals [batch, ...event] into draws from N(0, diag(std²)). */
export const scaledToPrior = (normals: Tensor, std: PriorStd): Tensor => normals.mul(stdAgainst(std, normals.shape));

/** The same on the host. */
export function hostScaledToPrior({ data, shape, dtype }: HostArray, std: PriorStd): HostArray {
  const stdOf = (i: number): number => (typeof std === 'number' ? std : std[i % std.length]);
  return { data: Float32Array.from(data, (normal, i) => normal * stdOf(i)), shape, dtype };
}

/** A single std unchanged; one per coordinate shaped to broadcast against [batch, ...event]. */
const stdAgainst = (std: PriorStd, shape: Shape): Tensor | number =>
  typeof std === 'number' ? std : constant(std, 'f32', [std.length]).reshape([1, ...shape.slice(1)]);

const sumOfLogs = (std: PriorStd, dimension: number): number =>
  typeof std === 'number' ? dimension * Math.log(std) : std.reduce((sum, each) => sum + Math.log(each), 0);

/** log N(x; 0, diag(std²)) of each sample [batch], nats; x is [batch, ...event]. */
export function priorLogDensity(x: Tensor, std: PriorStd): Tensor {
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  const dimension = x.size / x.shape[0];
  return x
    .div(stdAgainst(std, x.shape))
    .square()
    .sum(axes)
    .mul(-0.5)
    .sub(sumOfLogs(std, dimension) + 0.5 * dimension * Math.log(2 * Math.PI));
}

/** The same on the host, in f64. */
export function hostPriorLogDensity({ data, shape }: HostArray, std: PriorStd): Float64Array {
  const count = shape[0];
  const dimension = data.length / count;
  const constantPart = sumOfLogs(std, dimension) + 0.5 * dimension * Math.log(2 * Math.PI);
  const stdOf = (i: number): number => (typeof std === 'number' ? std : std[i]);
  return Float64Array.from({ length: count }, (_, row) => {
    let squares = 0;
    for (let i = 0; i < dimension; i++) squares += (data[row * dimension + i] / stdOf(i)) ** 2;
    return -0.5 * squares - constantPart;
  });
}
