import { constant, expand, jvp, onesLike, type Tensor } from '@flow-matching/tensor';
import type { CaseContext } from '../case/conformanceCase.ts';
import { compare } from './compare.ts';
import { conditioned } from './conditioned.ts';
import { evaluate, type Arrays, type NamedFormula } from './evaluate.ts';
import { sensitivity } from './sensitivity.ts';

/** A time-dependent distribution and the field that should generate it, at times [rows] and points [rows, ...event]. */
export interface Motion {
  readonly logDensity: (t: Tensor, x: Tensor, given: Readonly<Record<string, Tensor>>) => Tensor;
  readonly field: (t: Tensor, x: Tensor, given: Readonly<Record<string, Tensor>>) => Tensor;
}

/**
 * Measures the continuity equation, divided by the density: ∂ log p/∂t + ∇·u + u·∇log p = 0 (Lipman et al. 2023, Theorem 1 and
 * equation 26). Derivatives are computed by the framework, on the backend.
 *
 * @param inputs `t`, `x` and other inputs of the motion by name, one row each
 * @param cancelled size of the values that may cancel inside the terms, one number per row
 */
export async function measureContinuity(
  context: CaseContext,
  motion: Motion,
  inputs: Arrays,
  cancelled: readonly number[] = [],
): Promise<void> {
  const formula = continuityTerms(motion, inputs['x'].shape.slice(1));
  const terms = Object.values(await evaluate(context, formula, inputs));
  const sizes = Object.values(sensitivity(formula, inputs));
  const add = (lists: readonly ArrayLike<number>[]): Float64Array =>
    Float64Array.from(lists[0], (_, i) => lists.reduce((sum, list) => sum + list[i], 0));
  const { shape, dtype } = terms[0];
  const residual = { data: add(terms.map(({ data }) => data)), shape, dtype };
  compare(
    context,
    'the residual of the continuity equation',
    residual,
    new Float64Array(residual.data.length),
    conditioned(add(sizes).map((size, i) => size + (cancelled[i] ?? 0))),
    (i) => `t = ${inputs['t'].data[i]}`,
  );
}

/** The three terms, with the divergence by coordinate; each [rows]. */
function continuityTerms({ logDensity, field }: Motion, event: readonly number[]): NamedFormula {
  const size = event.reduce((product, extent) => product * extent, 1);
  const axes = event.map((_, i) => i + 1);
  return ({ t, x, ...given }) => {
    const along = (formula: (at: Tensor) => Tensor, at: Tensor, direction: Tensor): Tensor =>
      jvp((moving) => [formula(moving)], [at], [direction]).tangents[0];
    const divergence = Array.from({ length: size }, (_, axis) => {
      const basis = Float64Array.from({ length: size }, (__, i) => (i === axis ? 1 : 0));
      const direction = expand(constant(basis, 'f32', [1, ...event]), x.shape);
      return [
        `divergence${axis}`,
        along((point) => field(t, point, given), x, direction)
          .mul(direction)
          .sum(axes),
      ] as const;
    });
    return {
      rate: along((time) => logDensity(time, x, given), t, onesLike(t)),
      ...Object.fromEntries(divergence),
      advection: along((point) => logDensity(t, point, given), x, field(t, x, given)),
    };
  };
}
