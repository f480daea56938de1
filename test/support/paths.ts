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

/** What an oracle case says of its path. */
export interface PathCase {
  readonly path: string;
  readonly options: Readonly<Record<string, number>>;
}

const makers: Readonly<Record<string, (options: Readonly<Record<string, number>>) => Path>> = {
  'optimal-transport': (options) => optimalTransport(options),
  'variance-preserving': (options) => variancePreserving(options),
  'variance-exploding': (options) => varianceExploding(options),
  // The oracle integrates this one up to 0.999.
  'custom-trigonometric': () => ({ ...trigonometric(), interval: { start: 0, end: 0.999 } }),
};

/** The path that an oracle case names. */
export const pathOf = ({ path, options }: PathCase): Path => makers[path](options);

/** Paths by label. */
export type Paths = Readonly<Record<string, Path>>;

/** Every one-sided path whose mean and std are multiples of the identity, with the oracles' options or its own defaults. */
export const isotropicPaths: Paths = {
  'optimal-transport': optimalTransport(),
  'optimal-transport, σmin 0.1': optimalTransport({ sigmaMin: 0.1 }),
  'variance-preserving': variancePreserving(),
  'variance-exploding': varianceExploding(),
  trigonometric: trigonometric(),
  'linear-vp': linearVariancePreserving(),
  'polynomial of degree 1': polynomial({ degree: 1 }),
  'polynomial of degree 3': polynomial({ degree: 3 }),
};

/** Those and one with a std for each of two dimensions. */
export const oneSidedPaths: Paths = {
  ...isotropicPaths,
  'custom with a std per dimension': custom({
    mean: 't * x1',
    std: '(1 - t) * s + 0.01 * t',
    constants: { s: [0.5, 2] },
    priorStd: [0.5, 2],
  }),
};

export const twoSidedPaths: Paths = {
  'stochastic-interpolant': stochasticInterpolant(),
  'stochastic-interpolant, linear': stochasticInterpolant({ interpolant: 'linear', sigma: 0.5 }),
  'schrodinger-bridge': schrodingerBridge({ sigma: 0.7 }),
  'paired-lines': pairedLines({ sigma: 0.1 }),
};
