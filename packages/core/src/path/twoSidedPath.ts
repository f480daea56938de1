import type { Endpoints, Path, TimeInterval } from '../contracts/path.ts';
import { PathError } from '../errors.ts';
import type { Tensor } from '@flow-matching/tensor';
import { checkPath, type PathCheck } from './checkPath.ts';

export interface TwoSidedPathFormulas extends PathCheck {
  readonly name?: string;
  /** μ_t(x0, x1): t [batch, 1, …], points [batch, ...event]. */
  readonly mean: (t: Tensor, x0: Tensor, x1: Tensor) => Tensor;
  /** σ_t: t [batch, 1, …]. */
  readonly std: (t: Tensor) => Tensor;
  /** Usable times. Default [0, 1]. */
  readonly interval?: TimeInterval;
  /** u_t(x | x0, x1) in closed form. */
  readonly field?: (t: Tensor, x: Tensor, x0: Tensor, x1: Tensor) => Tensor;
  /** Whether the formulas are checked, as {@link checkPath} does. Default true. */
  readonly check?: boolean;
}

/**
 * A path between pairs of a source point and a data point, from two formulas: at t = 0 it is at x0, at t = 1 at x1.
 *
 * @throws PathError or NumericalError if the formulas do not define such a path.
 */
export function twoSidedPath({
  name = 'custom',
  mean,
  std,
  interval = { start: 0, end: 1 },
  field,
  check = true,
  ...sampling
}: TwoSidedPathFormulas): Path {
  const sourceOf = ({ x0 }: Endpoints): Tensor => {
    if (x0) return x0;
    throw new PathError(`The path '${name}' runs between two points, and only one is given.`, { expected: 'x0' });
  };
  const path: Path = {
    name,
    sides: 'two',
    interval,
    priorStd: 1,
    mean: (t, z) => mean(t, sourceOf(z), z.x1),
    std,
    ...(field && { field: (t: Tensor, x: Tensor, z: Endpoints) => field(t, x, sourceOf(z), z.x1) }),
  };
  if (check) checkPath(path, sampling);
  return path;
}
