import {
  type Tensor,
  expand,
  reshape,
  type Random,
  type Shape,
  checkInteger,
  largestProbeCount,
} from '@flow-matching/tensor';
import type { SymbolicParameters } from '../contracts/model.ts';
import { exactDivergence, hutchinsonDivergence } from './divergence.ts';
import { modelField, type FieldParts } from './modelField.ts';
import type { FlowConstants } from './odePrograms.ts';

/** How the divergence of the field is computed. */
export interface Divergence {
  /** `exact` costs one forward-mode pass per dimension; `hutchinson` one per probe, and is unbiased. */
  readonly divergence: 'exact' | 'hutchinson';
  /** Number of probe vectors per sample, fixed during its solve. Default 1. */
  readonly probes?: number | undefined;
  /** Distribution of the probes. Default rademacher, which has the smallest variance. */
  readonly distribution?: 'rademacher' | 'gaussian' | undefined;
}

/** Only the divergence options, with defaults filled in. */
export const divergenceOnly = ({
  divergence,
  probes = 1,
  distribution = 'rademacher',
}: Divergence): Required<Divergence> => ({ divergence, probes, distribution });

/** Probe vectors, none for the exact divergence. @throws OptionError for a bad number of probes. */
export function drawProbes(
  random: Random,
  shape: Shape,
  { divergence, probes = 1, distribution = 'rademacher' }: Divergence,
): Tensor[] {
  if (divergence === 'exact') return [];
  checkInteger(`Cannot estimate a divergence from ${probes} probes.`, probes, { largest: largestProbeCount });
  return Array.from({ length: probes }, () =>
    distribution === 'rademacher' ? random.sign(shape) : random.normal(shape),
  );
}

/** The learned field at (t [batch], x [batch, ...event]) and its divergence [batch]. */
export function divergenceOf(
  parts: FieldParts,
  parameters: SymbolicParameters,
  t: Tensor,
  x: Tensor,
  { condition, probes = [] }: FlowConstants,
  { divergence }: Divergence,
): { velocity: Tensor; divergence: Tensor } {
  const repeated = (value: Tensor, repeat: number): Tensor =>
    repeat === 1
      ? value
      : reshape(expand(reshape(value, value.shape.toSpliced(1, 0, 1)), value.shape.toSpliced(1, 0, repeat)), [
          value.shape[0] * repeat,
          ...value.shape.slice(1),
        ]);
  const field = (points: Tensor, repeat: number): Tensor =>
    modelField(
      parts,
      parameters,
      repeated(t, repeat),
      points,
      condition &&
        Object.fromEntries(Object.entries(condition).map(([name, value]) => [name, repeated(value, repeat)])),
    );
  if (divergence === 'exact') return exactDivergence(field, x);
  return hutchinsonDivergence(field, x, probes);
}
