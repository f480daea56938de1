import type { Samples } from '@flow-matching/core';

/** Most points per trajectory: all points of all trajectories are kept in memory. */
export const largestPoints = 2 ** 16;

/** Energy and displacement of trajectories, one value per sample. */
export interface TrajectoryEnergy {
  /** ∫‖v‖² dt. */
  readonly energy: Float64Array;
  /** ‖end − start‖². */
  readonly displacement: Float64Array;
}

/**
 * Energies from the kept points of trajectories: Σ‖Δx‖²/Δt. This is ∫‖v‖² dt of the polygon through the points, which is at
 * most that of the curve and differs from it by O(Δt²). If the points are those of an Euler solve with the same number of
 * steps, it is exactly Euler's own quadrature.
 */
export function trajectoryEnergy({ trajectory, times }: Samples): TrajectoryEnergy {
  if (!trajectory || !times) return { energy: new Float64Array(), displacement: new Float64Array() };
  const { data, shape } = trajectory;
  const [count, points] = shape;
  const size = data.length / (count * points);
  const square = (sample: number, from: number, to: number): number => {
    const [first, second] = [(sample * points + from) * size, (sample * points + to) * size];
    let sum = 0;
    for (let d = 0; d < size; d++) sum += (data[second + d] - data[first + d]) ** 2;
    return sum;
  };
  const energy = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    for (let k = 1; k < points; k++) energy[n] += square(n, k - 1, k) / (times[k] - times[k - 1]);
  }
  return { energy, displacement: Float64Array.from({ length: count }, (_, n) => square(n, 0, points - 1)) };
}

/** The first points of trajectories, [count, ...event]. */
export function trajectoryStarts({
  trajectory,
}: Required<Pick<Samples, 'trajectory'>>): NonNullable<Samples['trajectory']> {
  const { data, shape, dtype } = trajectory;
  const [count, points, ...event] = shape;
  const size = data.length / (count * points);
  const starts = new Float64Array(count * size);
  for (let n = 0; n < count; n++) starts.set(data.subarray(n * points * size, n * points * size + size), n * size);
  return { data: starts, shape: [count, ...event], dtype };
}
