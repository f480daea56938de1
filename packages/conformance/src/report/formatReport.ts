import { levelTitles } from '../case/level.ts';
import { formatNote } from '../case/note.ts';
import type { CaseResult, ConformanceReport, Tally } from './conformanceReport.ts';
import { caseCount, describeRatio, describeVerdict, sumOfTallies } from './describeReport.ts';

/**
 * A report as plain text: a row for each level and dtype, the notes, the failed cases one by one, then the verdict. Unsupported
 * cases count in the denominator and never as passes.
 */
export function formatReport(report: ConformanceReport): string {
  const { backend, seed, results } = report;
  const failures = results.filter(({ status }) => status === 'fail' || status === 'error');
  return [
    `${backend.name} (${backend.device}), seed ${seed}`,
    '',
    totalsTable(report),
    ...notesTable(report),
    ...failures.map((failure) => `\n${formatFailure(failure)}`),
    '',
    sentence(describeVerdict(report)),
  ].join('\n');
}

function totalsTable({ totals }: ConformanceReport): string {
  const head = ['level', '', 'dtype', 'pass', 'fail', 'error', 'unsupported'];
  const body = totals.map(({ level, dtype, tally }) => [String(level), levelTitles[level], dtype, ...cells(tally)]);
  const all = ['all', '', '', ...cells(sumOfTallies(totals.map(({ tally }) => tally)))];
  return columns([head, ...body, all], 3);
}

/** Empty if there are no notes. */
function notesTable({ results }: ConformanceReport): string[] {
  const rows = results.flatMap(({ id, notes = [] }) => notes.map((note) => [id, formatNote(note)]));
  return rows.length === 0 ? [] : ['', columns(rows, 2)];
}

const cells = (tally: Tally): string[] => [
  `${tally.pass}/${caseCount(tally)}`,
  ...[tally.fail, tally.error, tally.unsupported].map((count) => (count === 0 ? '–' : String(count))),
];

/** Rows as columns, two spaces apart; those from `numbers` on are right-aligned. */
function columns(rows: readonly (readonly string[])[], numbers: number): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const aligned = (cell: string, i: number): string =>
    i < numbers ? cell.padEnd(widths[i]) : cell.padStart(widths[i]);
  return rows.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
}

function formatFailure(result: CaseResult): string {
  const { id, status, message, measurement, rerun } = result;
  const input = measurement?.worst?.input;
  const lines = [
    `${status.toUpperCase()}  ${id}`,
    message,
    measurement && `error ÷ limit ${describeRatio(result)}${input ? ` at ${input}` : ''}`,
    rerun,
  ];
  return lines.filter(Boolean).join('\n  ');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
