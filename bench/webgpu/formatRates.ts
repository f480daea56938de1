import type { Comparison } from '../compare.ts';
import { formatFailures } from '../formatComparison.ts';
import { median, pairedRatio, type Ratio } from '../statistics.ts';
import { formatMilliseconds, formatTable } from '../table.ts';
import type { ProgramFacts } from './programFacts.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

/** Milliseconds of processors an operation, for each round, by the subject's name. */
export type ProcessorRounds = ReadonlyMap<string, readonly (readonly number[])[]>;

/** One work's table: times, rates, and how the others compare with the first in the same rounds, by the clock and in processor time. */
export function formatRates(
  { title, flop, kind }: WebgpuWork,
  { timings, failures }: Comparison,
  processorRounds: ProcessorRounds,
): string {
  const ours = processorRounds.get(timings[0]?.subject ?? '');
  const rows = timings.map(({ subject, median: middle, least, ratio, check }) => {
    const processor = processorRounds.get(subject);
    return [
      subject,
      formatMilliseconds(middle),
      formatMilliseconds(least),
      rate(flop / middle),
      ratio ? formatRatio(ratio) : '',
      processor ? formatMilliseconds(median(processor.flat())) : '',
      ratio && processor && ours ? formatRatio(pairedRatio(processor, ours)) : '',
      check === undefined ? '' : check.toFixed(4),
    ];
  });
  const result = kind === 'product' ? 'first element' : 'last loss';
  const header = [title, 'median ms', 'min ms', 'rate', '× ours (rounds)', 'CPU ms', '× ours (rounds)', result];
  return [formatTable(header, rows), ...formatFailures(failures)].join('\n');
}

const formatRatio = ({ median, least, most }: Ratio): string =>
  `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;

/** A rate from multiplications and additions a millisecond. */
const rate = (flopPerMillisecond: number): string => {
  const gflops = flopPerMillisecond / 1e6;
  return gflops < 1000 ? `${gflops.toFixed(gflops < 10 ? 2 : 0)} GFLOP/s` : `${(gflops / 1000).toFixed(1)} TFLOP/s`;
};

/** What our compiler made of each work. */
export const formatFacts = (works: readonly WebgpuWork[], facts: ReadonlyMap<string, ProgramFacts>): string =>
  formatTable(
    ['ours, per operation', 'kernels', 'pipelines', 'WGSL KiB', 'moved MiB', 'scratch MiB'],
    works.flatMap(({ id, title }) => {
      const fact = facts.get(id);
      if (!fact) return [];
      const { kernels, pipelines, codeBytes, movedBytes, scratchBytes } = fact;
      const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);
      return [
        [
          title,
          `${kernels}`,
          `${pipelines}`,
          (codeBytes / 1024).toFixed(1),
          mebibytes(movedBytes),
          mebibytes(scratchBytes),
        ],
      ];
    }),
  );
