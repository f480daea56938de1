import type { Estimate, Estimator } from '../contracts/estimator.ts';
import { NumericalError } from '../errors.ts';

/** Wraps an estimator so that estimates with a NaN or infinite number throw a NumericalError. */
export function finiteEstimates<Given extends Estimator>(estimator: Given): Given {
  return {
    ...estimator,
    estimate: async (request: Parameters<Estimator['estimate']>[0]) =>
      requireFiniteNumbers(estimator.name, await estimator.estimate(request)),
  };
}

function requireFiniteNumbers(name: string, estimate: Estimate): Estimate {
  const { value, standardError = 0, details = {} } = estimate;
  const numbers = Object.entries({ value, standardError, ...details });
  const broken = numbers.find(([, number]) => !Number.isFinite(number));
  if (!broken) return estimate;
  throw new NumericalError(`The estimator '${name}' returned ${broken[0]} = ${broken[1]}.`, {
    actual: estimate,
    expected: 'finite numbers',
    remedy: 'Check the samples and the points they are compared with: very large values overflow.',
  });
}
