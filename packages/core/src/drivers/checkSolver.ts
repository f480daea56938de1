import type { Coupling } from '../contracts/coupling.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';
import { OptionError } from '@flow-matching/tensor';

/** @throws OptionError if log-densities are unknown along the solver's solutions: on a two-sided path, or with a stochastic solver. */
export function checkDensity(path: Path, solver: Solver): void {
  if (path.sides === 'two') {
    throw new OptionError(`The path '${path.name}' starts from samples, not from a density.`, {
      actual: path.name,
      expected: 'a one-sided path, whose prior is Gaussian, where log-likelihoods are asked for',
    });
  }
  if (!solver.stochastic) return;
  throw new OptionError(`The solver '${solver.name}' draws noise along the way.`, {
    actual: solver.name,
    expected: 'an ordinary differential equation, along which densities are known',
    remedy: 'Use another solver.',
  });
}

/** @throws OptionError if a stochastic solver needs a score that cannot be computed from the velocity. */
export function checkScore(path: Path, coupling: Coupling, solver: Solver): void {
  if (!solver.stochastic) return;
  if (path.sides === 'two') {
    throw new OptionError(
      `The solver '${solver.name}' needs the score, which is not known on the path '${path.name}'.`,
      {
        actual: path.name,
        expected: 'a one-sided path, whose score follows from the velocity',
        remedy: 'Use a one-sided path, or a solver of ordinary differential equations.',
      },
    );
  }
  if (!coupling.pair) return;
  throw new OptionError(
    `The solver '${solver.name}' needs the score, which does not follow from a velocity trained on pairs of the coupling '${coupling.name}'.`,
    {
      actual: coupling.name,
      expected: 'noise that is independent of the data',
      remedy: "Use the coupling 'independent', or a solver of ordinary differential equations.",
    },
  );
}
