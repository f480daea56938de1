import type { Path } from '@flow-matching/core';
import {
  custom,
  linearVariancePreserving,
  optimalTransport,
  pairedLines,
  polynomial,
  schrodingerBridge,
  stochasticInterpolant,
  trigonometric,
  varianceExploding,
  variancePreserving,
} from '@flow-matching/plugins';
import {
  linearVariancePreservingForm,
  optimalTransportForm,
  pairedLinesForm,
  polynomialForm,
  schrodingerBridgeForm,
  stochasticInterpolantForm,
  trigonometricForm,
  varianceExplodingForm,
  variancePreservingForm,
  type ClosedFormAt,
} from './closedForms.ts';

/** A path of the plugins, with its label in ids. */
export interface ConformancePath {
  readonly label: string;
  readonly path: Path;
  /** Absent if coordinates differ. */
  readonly form?: ClosedFormAt;
  /** Whether the mean vanishes at t = 0, so that the marginal there is the prior itself. */
  readonly forgets?: boolean;
}

/** Every registered path with its default options, and some with others. */
export const conformancePaths = (): readonly ConformancePath[] => [
  { label: 'optimal-transport', path: optimalTransport(), form: optimalTransportForm(1e-5), forgets: true },
  {
    label: 'optimal-transport sigmaMin=0.1',
    path: optimalTransport({ sigmaMin: 0.1 }),
    form: optimalTransportForm(0.1),
    forgets: true,
  },
  { label: 'variance-preserving', path: variancePreserving(), form: variancePreservingForm(0.1, 20) },
  { label: 'variance-exploding', path: varianceExploding(), form: varianceExplodingForm(0.01, 50) },
  { label: 'trigonometric', path: trigonometric(), form: trigonometricForm, forgets: true },
  { label: 'linear-vp', path: linearVariancePreserving(), form: linearVariancePreservingForm, forgets: true },
  { label: 'polynomial', path: polynomial(), form: polynomialForm(2), forgets: true },
  { label: 'polynomial degree=3', path: polynomial({ degree: 3 }), form: polynomialForm(3), forgets: true },
  {
    label: 'custom',
    path: custom({ mean: 'sin(pi * t / 2) * x1', std: '(1 - t)^2 + 0.01', priorStd: 1.01 }),
    form: (t) => ({
      ...trigonometricForm(t),
      std: (1 - t) ** 2 + 0.01,
      stdRate: -2 * (1 - t),
    }),
    forgets: true,
  },
  {
    label: 'custom std per dimension',
    path: custom({
      mean: 't * x1',
      std: '(1 - t) * s + 0.01 * t',
      constants: { s: [0.5, 2] },
      priorStd: [0.5, 2],
    }),
    forgets: true,
  },
  {
    label: 'stochastic-interpolant',
    path: stochasticInterpolant(),
    form: stochasticInterpolantForm('trigonometric', 1),
  },
  {
    label: 'stochastic-interpolant linear',
    path: stochasticInterpolant({ interpolant: 'linear', sigma: 0.5 }),
    form: stochasticInterpolantForm('linear', 0.5),
  },
  { label: 'schrodinger-bridge', path: schrodingerBridge(), form: schrodingerBridgeForm(1) },
  { label: 'paired-lines', path: pairedLines(), form: pairedLinesForm(0) },
  { label: 'paired-lines sigma=0.1', path: pairedLines({ sigma: 0.1 }), form: pairedLinesForm(0.1) },
  {
    label: 'custom two-sided',
    path: custom({ mean: '(1 - t^2) * x0 + t^2 * x1', std: '0.05 + t * (1 - t)' }),
    form: (t) => ({
      scale: t * t,
      scaleRate: 2 * t,
      sourceScale: 1 - t * t,
      sourceScaleRate: -2 * t,
      std: 0.05 + t * (1 - t),
      stdRate: 1 - 2 * t,
    }),
  },
];
