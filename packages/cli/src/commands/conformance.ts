import {
  backendCases,
  formatReport,
  reportHtml,
  runConformance,
  type ConformanceCase,
  type ConformanceReport,
  type Level,
} from '@flow-matching/conformance';
import { join } from 'node:path';
import { chooseCases } from '../conformance/chooseCases.ts';
import { moduleBackend, namedBackend, type MakeBackend } from '../conformance/subject.ts';
import { checkDirectoryDestination } from '../disk/checkDestination.ts';
import { makeDirectory } from '../disk/makeDirectory.ts';
import { writeAtomically } from '../disk/writeAtomically.ts';
import { InterruptedError, UsageError } from '../errors.ts';
import { parseSetting } from '../experiment/parseSetting.ts';
import { versions } from '../run/environment.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { quoteArgument } from '../terminal/quoteArgument.ts';
import type { CommandContext } from './cliCommand.ts';

interface ConformanceCommandOptions {
  readonly backend?: string;
  readonly module?: string;
  readonly set?: readonly string[];
  readonly level?: readonly Level[];
  readonly filter?: string;
  readonly seed: number;
  readonly report?: string;
  readonly list?: boolean;
}

export async function conformance(
  { output, root }: CommandContext,
  _: [],
  options: ConformanceCommandOptions,
): Promise<void> {
  const { level, filter, report: directory, list = false } = options;
  const cases = chooseCases(backendCases(), filter, level);
  if (list) {
    const listed = cases.map(({ id, claim }) => ({ id, claim }));
    output.result(formatTable(listed.map(({ id, claim }) => [id, claim])), { cases: listed });
    return;
  }
  if (directory !== undefined) await checkDirectoryDestination('--report', directory);
  const make = await subjectOf(root, options);
  const report = await run(make, cases, options, output);
  const files = directory === undefined ? undefined : await writeReport(report, directory);
  output.failed = !report.passed;
  output.result(
    [formatReport(report), ...(files ? ['', `Open ${files.report}`] : [])].join('\n'),
    files ? { ...report, files } : report,
  );
  if (report.interrupted) {
    output.interrupted = true;
    output.warn('Interrupted.');
  }
}

async function subjectOf(
  root: CommandContext['root'],
  { backend, module, set = [] }: ConformanceCommandOptions,
): Promise<MakeBackend> {
  if (backend !== undefined && module !== undefined)
    throw new UsageError(`--backend ${backend} and --module ${module} are two backends.`, {
      expected: 'one of the two',
    });
  const settings = set.map(parseSetting);
  return module === undefined ? namedBackend(root, backend ?? 'onnx', settings) : moduleBackend(module, settings);
}

async function run(
  make: MakeBackend,
  cases: readonly ConformanceCase[],
  options: ConformanceCommandOptions,
  output: CommandContext['output'],
): Promise<ConformanceReport> {
  using interrupts = new Interrupts(output, 'Stopping after the case that is running.');
  const progress = output.progress('check', cases.length);
  const report = await runConformance(make, {
    cases,
    seed: options.seed,
    rerun: (id) => rerunCommand(id, options),
    onResult: ({ id }, done) => progress.update(done, id),
    signal: interrupts.signal,
  });
  output.endProgress();
  const stopped = report.results.length < cases.length;
  if (stopped && report.results.length === 0) throw new InterruptedError('Interrupted before the first case ended.');
  return {
    ...report,
    versions: versions(),
    ...(stopped && { interrupted: { chosen: cases.length }, passed: false }),
  };
}

/** The command that reruns one case alone with the same options. */
function rerunCommand(id: string, { backend, module, set = [], seed }: ConformanceCommandOptions): string {
  const parts = [
    ...(module === undefined ? ['--backend', backend ?? 'onnx'] : ['--module', module]),
    ...set.flatMap((setting) => ['--set', setting]),
    ...(seed === 0 ? [] : ['--seed', String(seed)]),
    '--filter',
    id,
  ];
  return `npx flow-matching conformance ${parts.map(quoteArgument).join(' ')}`;
}

async function writeReport(report: ConformanceReport, directory: string): Promise<Record<string, string>> {
  await makeDirectory(directory);
  const files = { results: join(directory, 'report.json'), report: join(directory, 'report.html') };
  await writeAtomically(files.results, [`${JSON.stringify(report, null, 2)}\n`]);
  await writeAtomically(files.report, [reportHtml(report)]);
  return files;
}
