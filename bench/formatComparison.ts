import type { Comparison } from './compare.ts';
import { formatMilliseconds, formatTable } from './table.ts';

/** One work's table: times, evaluations, and how the others compare with the first in the same rounds. */
export function formatComparison({ work, timings, failures }: Comparison, first = 'ours'): string {
  const rows = timings.map(({ subject, median, least, evaluations, ratio, check }) => [
    subject,
    formatMilliseconds(median),
    formatMilliseconds(least),
    evaluations === undefined ? '' : `${evaluations}`,
    ratio ? `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})` : '',
    check === undefined ? '' : check.toFixed(4),
  ]);
  const table = formatTable(
    [work.title, 'median ms', 'min ms', 'NFE', `× ${first} (rounds)`, checkNames[work.kind]],
    rows,
  );
  return [table, ...formatFailures(failures)].join('\n');
}

/** A line for each subject that was left out. */
export const formatFailures = (failures: Comparison['failures']): string[] =>
  failures.map(({ subject, reason }) => `${subject} left out: ${reason.trim().split('\n').at(-1)}`);

const checkNames = {
  training: 'last loss',
  sampling: 'mean x²',
  likelihood: 'mean log p',
  pairing: 'mean |x1 − x0|²',
  product: 'first element',
} as const;
