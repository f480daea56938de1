import { OptionError } from '@flow-matching/tensor';

/** An explicit Runge–Kutta method as data. */
export interface ButcherTableau {
  /** Order of the solution that is propagated. */
  readonly order: number;
  /** c: the position of each stage, as a fraction of the step. */
  readonly nodes: readonly number[];
  /** a: row i combines the i stages before it. */
  readonly stages: readonly (readonly number[])[];
  /** b: the solution's weights. */
  readonly weights: readonly number[];
  /** An error estimate for adaptive steps: weights b − b̂ and the order of b̂. */
  readonly embedded?: { readonly errorWeights: readonly number[]; readonly order: number };
  /** Coefficients of θ, θ², … per stage: y(t + θh) = y + h Σ bᵢ(θ) kᵢ. Default: cubic Hermite interpolation. */
  readonly interpolant?: readonly (readonly number[])[];
  /** Whether the last stage is the derivative at the step's end, so that the next step can reuse it as its first. */
  readonly firstSameAsLast?: boolean;
}

/** Throws an OptionError naming the part of a tableau that is inconsistent. */
export function checkTableau(
  name: string,
  { nodes, stages, weights, embedded, interpolant, firstSameAsLast }: ButcherTableau,
): void {
  const count = nodes.length;
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));
  const sum = (row: readonly number[]): number => row.reduce((total, value) => total + value, 0);
  const refuse = (problem: string, actual: unknown, expected: string): never => {
    throw new OptionError(`The tableau of '${name}' is inconsistent: ${problem}.`, { actual, expected });
  };
  if (stages.length !== count || weights.length !== count)
    refuse(`${count} nodes, ${stages.length} stages, ${weights.length} weights`, stages, 'one of each a stage');
  stages.forEach((row, i) => {
    if (row.length !== i) refuse(`stage ${i} has ${row.length} coefficients`, row, `${i}`);
    if (!close(sum(row), nodes[i]))
      refuse(`the coefficients of stage ${i} sum to ${sum(row)}`, row, `its node ${nodes[i]}`);
  });
  if (!close(sum(weights), 1)) refuse(`the weights sum to ${sum(weights)}`, weights, '1');
  if (embedded && (embedded.errorWeights.length !== count || !close(sum(embedded.errorWeights), 0))) {
    refuse('the error weights do not fit', embedded.errorWeights, `${count} numbers that sum to 0`);
  }
  if (interpolant && (interpolant.length !== count || !interpolant.every((row, i) => close(sum(row), weights[i])))) {
    refuse(
      'the interpolant does not end at the solution',
      interpolant,
      'coefficients that sum to the weight of each stage',
    );
  }
  if (
    firstSameAsLast &&
    !(nodes.at(-1) === 1 && stages.at(-1)!.every((value, i) => close(value, weights[i])) && weights.at(-1) === 0)
  ) {
    refuse('its last stage is not the solution', stages.at(-1), 'the weights');
  }
}
