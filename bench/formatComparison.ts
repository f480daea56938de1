import type { Comparison } from './compare.ts';
import { formatMilliseconds, formatTable } from './table.ts';

/** One work's table: times, evaluations, and how the others compare with us in the same rounds. */
export function formatComparison({ work, timings, failures }: Comparison): string {
  const rows = timings.map(({ subject, median, least, evaluations, ratio, check }) => [
    subject,
    formatMilliseconds(median),
    formatMilliseconds(least),
    evaluations === undefined ? '' : `${evaluations}`,
    ratio ? `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})` : '',
    check === undefined ? '' : check.toFixed(4),
  ]);
  const table = formatTable([work.title, 'median ms', 'min ms', 'NFE', '× ours (rounds)', checkNames[work.kind]], rows);
  return [
    table,
    ...failures.map(({ subject, reason }) => `${subject} left out: ${reason.trim().split('\n').at(-1)}`),
  ].join('\n');
}

const checkNames = { training: 'last loss', sampling: 'mean x²', likelihood: 'mean log p' } as const;
