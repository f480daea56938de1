import { concat } from '@flow-matching/tensor';
import { floats } from './evaluate.ts';
import type { Field } from './solve.ts';

/** τ(t) = ∫ (1 + s/2) ds: the clock that makes the problem time-dependent. */
const clock = (t: number): number => t + (t * t) / 4;

/**
 * A nonlinear problem of two unknowns with a known solution, with sums and products only: points rotate about the origin at the
 * rate (1 + t/2)(1 + r²), faster further out. Nothing decays, so accuracy limits the step before stability does.
 */
export const rotor: Field = (t, y) => {
  const [a, b] = [y.slice(1, 0, 1), y.slice(1, 1, 2)];
  const rate = t.reshape([t.size, 1]).mul(0.5).add(1).mul(a.square().add(b.square()).add(1));
  return concat([b.neg(), a], 1).mul(rate);
};

/** Its points at t = 0, [4, 2]. */
export const rotorStarts = floats([0.9, 0.1, -0.3, 0.6, 0.5, -0.5, -0.6, -0.2], [4, 2]);

/** Bound on the flow's derivatives with respect to its start: neighbouring points shear apart by 2r²τ(t). */
export const rotorGrowth = (t: number): number => 1 + 2 * 0.82 * Math.abs(clock(t));

/** The angle by which the outermost start has turned. */
export const rotorAngle = (t: number): number => (1 + 0.82) * clock(t);

/** The solution of all starts, [4, 2] row-major. */
export const rotorEnds = (t: number): number[] =>
  [0, 1, 2, 3].flatMap((row) => {
    const [x, y] = [rotorStarts.data[2 * row], rotorStarts.data[2 * row + 1]];
    const radius = Math.hypot(x, y);
    const angle = Math.atan2(y, x) + (1 + radius ** 2) * clock(t);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
