import type { Coupling } from '../contracts/coupling.ts';
import type { Path } from '../contracts/path.ts';
import { PathError } from '../errors.ts';
import { evaluatePath } from '../path/evaluatePath.ts';
import type { HostArray } from '@flow-matching/tensor';

/** Largest contribution of the data to the mean at the start, in standard deviations of the prior, that counts as zero. */
const tolerance = 1e-3;
/** Number of points at which the mean at the start is evaluated. */
const looked = 16;

/**
 * Refuses a coupling that pairs if the path does not start from noise alone. With x = m(x1) + σ·x0 at the start, noise that
 * depends on x1 shifts the variance by 2σ·cov(m, x0); independent noise only by the square of m.
 *
 * @param x1 data points, [count, ...event]
 * @throws PathError naming both.
 */
export function checkCoupling(path: Path, coupling: Coupling, x1: HostArray): void {
  if (path.sides === 'two' || !coupling.pair) return;
  const rows = Math.min(looked, x1.shape[0]);
  const width = x1.data.length / x1.shape[0];
  const points = { ...x1, data: x1.data.subarray(0, rows * width), shape: [rows, ...x1.shape.slice(1)] };
  const { mean, std } = evaluatePath(path, { t: new Float64Array(rows).fill(path.interval.start), x1: points });
  // A mean that is the same for all points shifts the start, but does not depend on them.
  const share = mean.reduce((most, value, i) => Math.max(most, Math.abs(value - mean[i % width]) / std[i]), 0);
  if (share <= tolerance) return;
  throw new PathError(
    `The path '${path.name}' cannot use the coupling '${coupling.name}': its start holds ${share.toPrecision(2)} standard deviations of the data point, so noise paired with the data would not start from the prior.`,
    {
      actual: { path: path.name, coupling: coupling.name, share },
      expected: 'a path whose mean at the start does not depend on the data, such as optimal-transport',
      remedy: "Use the coupling 'independent', or another path.",
    },
  );
}
