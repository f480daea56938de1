import type { Measurement } from './measureRun.ts';

/** One run's numbers in the JSON document; unknown ones are absent. */
export function runDocument({
  run,
  label,
  step,
  heldOutCount,
  path,
  objective,
  nll,
  entropy,
  inSupport,
  functionEvaluations,
  wasserstein2,
  millisecondsPerStep,
  cost,
  failures,
}: Measurement): Record<string, unknown> {
  return {
    run,
    label,
    step,
    ...(heldOutCount !== undefined && { heldOutCount }),
    path,
    objective,
    ...(nll && { nll: nll.value, nllStandardError: nll.standardError }),
    ...(entropy !== undefined && { entropy }),
    ...(nll && entropy !== undefined && { nllAboveEntropy: nll.value - entropy }),
    ...(inSupport && { inSupport: inSupport.value, inSupportStandardError: inSupport.standardError }),
    ...(functionEvaluations !== undefined && { functionEvaluations }),
    ...(wasserstein2 && {
      wasserstein2: wasserstein2.value,
      wasserstein2StandardError: wasserstein2.standardError,
      wasserstein2Count: wasserstein2.count,
      // The distance between two samples of the data, the smallest meaningful value.
      wasserstein2Floor: wasserstein2.details?.['floor'],
    }),
    ...(millisecondsPerStep !== undefined && { millisecondsPerStep }),
    ...(cost && { cost: { reference: cost.reference, fixed: cost.fixed, adaptive: cost.adaptive } }),
    failures,
  };
}
