import type { HostArray } from '@flow-matching/tensor';
import type { CaseContext } from '../case/conformanceCase.ts';
import { statistical } from '../case/limit.ts';
import { compare } from './compare.ts';
import { meanAndError } from './sampleMoments.ts';

/**
 * Measures that standardized samples [count, 2] are uncorrelated with those at lags 1, 2, 4, …: draws that repeat with a period
 * among these powers of two correlate fully.
 */
export function measureIndependence(context: CaseContext, what: string, { data, shape: [count] }: HostArray): void {
  const lags = Array.from({ length: Math.floor(Math.log2(count)) - 1 }, (_, k) => 2 ** k);
  const products = lags.map((lag) => {
    const terms = Float64Array.from({ length: (count - lag) * 3 }, (_, i) => {
      const [row, pair] = [Math.floor(i / 3), i % 3];
      const [a, b] = [data[2 * row + (pair === 0 ? 0 : 1)], data[2 * (row + lag) + (pair === 1 ? 1 : 0)]];
      return a * b;
    });
    return meanAndError(terms, 3);
  });
  const means = products.flatMap((each) => Array.from(each.means));
  const errors = products.flatMap((each) => Array.from(each.errors));
  const correlations = { data: Float64Array.from(means), shape: [lags.length, 3], dtype: 'f32' as const };
  // Normal tails beyond 6 have probability 2·10⁻⁹, for some thirty products.
  compare(
    context,
    `${what} at lags ${lags.join(', ')}`,
    correlations,
    new Float64Array(means.length),
    statistical(errors, 6, 1e-7),
  );
}
