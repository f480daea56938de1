import type { KnownDensity } from '@flow-matching/core';
import { hostLogSumExp } from './hostLogSumExp.ts';

/**
 * Circles around the origin, equally likely, with Gaussian noise: each is ∫ N(x; R·(cos φ, sin φ), s² I) dφ/2π
 * = exp(−(r² + R²)/2s²)·I₀(rR/s²)/(2πs²), the density of Rice's distribution without its Jacobian r.
 */
export function ringsDensity({
  radii,
  std,
}: {
  readonly radii: readonly number[];
  readonly std: number;
}): KnownDensity {
  const variance = std ** 2;
  const constant = Math.log(2 * Math.PI * variance * radii.length);
  return {
    logDensity: ({ data, shape: [count] }) =>
      Float64Array.from({ length: count }, (_, n) => {
        const r = Math.hypot(data[2 * n], data[2 * n + 1]);
        const terms = radii.map(
          (radius) => -((r - radius) ** 2) / (2 * variance) + Math.log(scaledBesselI0((r * radius) / variance)),
        );
        return hostLogSumExp(terms) - constant;
      }),
  };
}

/** exp(−x)·I₀(x) for x ≥ 0: the power series (DLMF 10.25.2), and the asymptotic one (DLMF 10.40.1) from x = 30. */
export function scaledBesselI0(x: number): number {
  let [term, sum] = [1, 1];
  if (x < 30) {
    for (let k = 1; term > 1e-17 * sum; k++) sum += term *= x ** 2 / 4 / k ** 2;
    return sum * Math.exp(-x);
  }
  for (let k = 1; k <= 30 && term > 1e-17; k++) sum += term *= (2 * k - 1) ** 2 / (8 * k * x);
  return sum / Math.sqrt(2 * Math.PI * x);
}
