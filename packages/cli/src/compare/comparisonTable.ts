import type { Measurement } from './measureRun.ts';

/** One column of the table: its title, the value for a run, and whether values are words. */
interface Column {
  readonly title: string;
  readonly words?: boolean;
  readonly cell: (measurement: Measurement) => string | undefined;
}

const withError = (value: number, error: number | undefined): string =>
  error === undefined ? value.toFixed(3) : `${value.toFixed(3)} ± ${error.toFixed(3)}`;

const columns: readonly Column[] = [
  { title: 'run', words: true, cell: ({ label }) => label },
  { title: 'path', words: true, cell: ({ path }) => path },
  { title: 'objective', words: true, cell: ({ objective }) => objective },
  { title: 'NLL [nats]', cell: ({ nll }) => nll && withError(nll.value, nll.standardError) },
  {
    title: 'NLL − entropy',
    cell: ({ nll, entropy }) => (nll && entropy !== undefined ? (nll.value - entropy).toFixed(3) : undefined),
  },
  { title: 'in support', cell: ({ inSupport }) => inSupport && `${(100 * inSupport.value).toFixed(1)} %` },
  { title: 'NFE', cell: ({ functionEvaluations }) => functionEvaluations?.toString() },
  {
    title: 'W₂',
    cell: ({ wasserstein2 }) => wasserstein2 && withError(wasserstein2.value, wasserstein2.standardError),
  },
  {
    title: 'ms a step',
    cell: ({ millisecondsPerStep }) => millisecondsPerStep?.toPrecision(3),
  },
];

export interface ComparisonTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether each column contains words. */
  readonly words: readonly boolean[];
}

/** The runs as rows. Empty columns are left out; missing values are dashes. */
export function comparisonTable(measurements: readonly Measurement[]): ComparisonTable {
  const kept = columns.filter(({ cell }) => measurements.some((measurement) => cell(measurement) !== undefined));
  return {
    head: kept.map(({ title }) => title),
    rows: measurements.map((measurement) => kept.map(({ cell }) => cell(measurement) ?? '–')),
    words: kept.map(({ words = false }) => words),
  };
}
