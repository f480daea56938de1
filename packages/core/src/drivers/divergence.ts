import {
  pushforward,
  type Tensor,
  add,
  constant,
  full,
  expand,
  identity,
  reshape,
  sizeOf,
} from '@flow-matching/tensor';

/** A vector field of points [batch, ...event] at times [batch], where `repeat` is the number of consecutive rows per sample. */
export type PointField = (x: Tensor, repeat: number) => Tensor;

/** Above this many dimensions, a batch of repeated rows replaces one tangent per dimension, which would make the graph too large. */
const unrolledDimensions = 16;

const eventAxes = (x: Tensor): number[] => x.shape.slice(1).map((_, i) => i + 1);

/** A field and its exact divergence tr(∂v/∂x), [batch]: one tangent per dimension. */
export function exactDivergence(field: PointField, x: Tensor): { velocity: Tensor; divergence: Tensor } {
  const event = x.shape.slice(1);
  const dimension = sizeOf(event);
  if (dimension > unrolledDimensions)
    return { velocity: field(x, 1), divergence: repeatedDivergence(field, x, dimension) };
  const point = identity(x);
  const velocity = field(point, 1);
  const terms = Array.from({ length: dimension }, (_, i) => {
    const basis = constant(
      Float64Array.from({ length: dimension }, (__, j) => (i === j ? 1 : 0)),
      x.dtype,
      [1, ...event],
    );
    const [tangent] = pushforward([velocity], [point], [expand(basis, x.shape)]);
    return tangent ? tangent.mul(basis).sum(eventAxes(x)) : full([x.shape[0]], 0, x.dtype);
  });
  return { velocity, divergence: terms.reduce((sum, term) => add(sum, term)) };
}

/** The same with one evaluation on rows repeated once per dimension. */
function repeatedDivergence(field: PointField, x: Tensor, dimension: number): Tensor {
  const [batch, ...event] = x.shape;
  const rows = [batch * dimension, ...event];
  const repeated = identity(reshape(expand(reshape(x, [batch, 1, ...event]), [batch, dimension, ...event]), rows));
  const eye = constant(
    Float64Array.from({ length: dimension * dimension }, (_, i) => (i % (dimension + 1) === 0 ? 1 : 0)),
    x.dtype,
    [1, dimension, ...event],
  );
  const basis = reshape(expand(eye, [batch, dimension, ...event]), rows);
  const velocity = field(repeated, dimension);
  const [tangent] = pushforward([velocity], [repeated], [basis]);
  return tangent ? reshape(tangent.mul(basis), [batch, dimension * dimension]).sum(1) : full([batch], 0, x.dtype);
}

/** A field and Hutchinson's estimate of its divergence, the mean of zᵀ(∂v/∂x)z over probes z with E[zzᵀ] = I. Unbiased. */
export function hutchinsonDivergence(
  field: PointField,
  x: Tensor,
  probes: readonly Tensor[],
): { velocity: Tensor; divergence: Tensor } {
  const point = identity(x);
  const velocity = field(point, 1);
  const terms = probes.map((probe) => {
    const [tangent] = pushforward([velocity], [point], [probe]);
    return tangent ? tangent.mul(probe).sum(eventAxes(x)) : full([x.shape[0]], 0, x.dtype);
  });
  return { velocity, divergence: terms.reduce((sum, term) => add(sum, term)).div(probes.length) };
}
