import { statuses, type CaseResult, type ConformanceReport, type Status, type Tally } from './conformanceReport.ts';

/** The number of cases in a tally: the denominator. */
export const caseCount = (tally: Tally): number => statuses.reduce((sum, status) => sum + tally[status], 0);

/** The sum of several tallies. */
export const sumOfTallies = (tallies: readonly Tally[]): Tally =>
  Object.fromEntries(
    statuses.map((status) => [status, tallies.reduce((sum, tally) => sum + tally[status], 0)]),
  ) as Record<Status, number>;

/** The verdict of the run, in a sentence. */
export function describeVerdict({ results, totals, passed, interrupted }: ConformanceReport): string {
  const { pass, fail, error, unsupported } = sumOfTallies(totals.map(({ tally }) => tally));
  const count = results.length.toLocaleString('en');
  const verdict = passed ? 'passed' : interrupted && fail + error === 0 ? 'interrupted' : 'failed';
  const parts = [
    `${pass.toLocaleString('en')} of ${count} cases pass`,
    fail > 0 && `${fail} fail`,
    error > 0 && `${error} end in an error`,
    unsupported > 0 && `${unsupported} are unsupported`,
    interrupted && `ended before ${interrupted.chosen - results.length} of ${interrupted.chosen} chosen cases`,
  ];
  return `${verdict}: ${parts.filter(Boolean).join(', ')}`;
}

/** Error ÷ limit with three digits; a dash if nothing was measured. */
export function describeRatio({ measurement }: CaseResult): string {
  if (!measurement) return '–';
  const { ratio } = measurement;
  if (!Number.isFinite(ratio)) return Number.isNaN(ratio) ? 'NaN' : '∞';
  return ratio === 0 ? '0' : ratio >= 1e4 || ratio < 1e-3 ? ratio.toExponential(1) : ratio.toPrecision(3);
}

/** The element with the largest error, and its inputs. */
export function describeWorst({ measurement }: CaseResult): string {
  if (!measurement?.worst) return '';
  const { at, actual, expected, input } = measurement.worst;
  const place = at.length > 0 ? ` at [${at.join(', ')}]` : '';
  return `${measurement.what}${place}: ${actual}, expected ${expected}${input ? ` (${input})` : ''}`;
}
