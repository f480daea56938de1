import { writeFileSync } from 'node:fs';
import { findAdapter, type FoundAdapter } from '../../test/support/webgpu/findAdapter.ts';
import { compare, type Comparison } from '../compare.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { UsageError } from '../options.ts';
import type { Subject } from '../subject.ts';
import { formatFacts, formatRates } from './formatRates.ts';
import { ForkedSubject } from './forkedSubject.ts';
import { installedVersions } from './installedVersions.ts';
import { profileKernels } from './profileKernels.ts';
import { torchCuda } from './torchCuda.ts';
import { parseWebgpuOptions, webgpuUsage, type WebgpuBenchOptions } from './webgpuOptions.ts';
import { webgpuWorks, type WebgpuWork } from './webgpuWorks.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => {
  console.error('\nStopping after the running turn; once more stops at once.');
  interrupted.abort();
});

try {
  const options = parseWebgpuOptions(process.argv.slice(2));
  if (options === 'help') console.log(webgpuUsage);
  else await bench(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${webgpuUsage}`);
  process.exitCode = 2;
}
if (interrupted.signal.aborted) process.exitCode = 130;

async function bench(options: WebgpuBenchOptions): Promise<void> {
  const adapter = findAdapter();
  if (!adapter) {
    console.error('There is no WebGPU adapter here: CONTRIBUTING.md says how to get one.');
    process.exitCode = 1;
    return;
  }
  const machine = await describeMachine();
  const described = { ...machine, versions: { ...machine.versions, ...installedVersions() } };
  const { name, origin, isSoftware, environment } = adapter;
  console.log(`${formatMachine(described)}\nWebGPU on ${name} (${origin})${isSoftware ? ', software' : ''}\n`);
  const works = webgpuWorks(isSoftware).filter(({ id }) => options.isChosen(id));
  if (options.profile) {
    profileKernels(works, environment);
    return;
  }
  const forked = options.subjects.map((subject) => new ForkedSubject(subject, environment));
  const subjects = [...forked, ...(await cudaPeers(adapter, options))];
  try {
    const comparisons = await compareAll(works, forked, subjects, options.rounds);
    console.log(describeOurs(works, forked));
    if (options.json !== undefined) {
      const result = { machine: described, adapter: name, comparisons };
      writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
    }
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
}

/** A software adapter is no match for a GPU that the machine may have besides. */
async function cudaPeers({ isSoftware }: FoundAdapter, { python }: WebgpuBenchOptions): Promise<Subject[]> {
  return isSoftware ? [] : torchCuda(python);
}

async function compareAll(
  works: readonly WebgpuWork[],
  forked: readonly ForkedSubject[],
  subjects: readonly Subject[],
  rounds: number,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const work of works) {
    if (interrupted.signal.aborted) break;
    const comparison = await compare(work, subjects, {
      rounds,
      signal: interrupted.signal,
      onProgress: showProgress,
    });
    showProgress('');
    const processorRounds = new Map(
      forked.map(({ name, processorRounds }) => [name, processorRounds.get(work.id) ?? []]),
    );
    console.log(`${formatRates(work, comparison, processorRounds)}\n`);
    comparisons.push(comparison);
  }
  return comparisons;
}

function describeOurs(works: readonly WebgpuWork[], subjects: readonly ForkedSubject[]): string {
  const tables = subjects.filter(({ facts }) => facts.size > 0).map(({ facts }) => `${formatFacts(works, facts)}\n`);
  const adapters = subjects.flatMap(({ name, description }) => (description ? [`${name} ran on ${description}`] : []));
  return [...tables, ...adapters].join('\n');
}

/** One line that is written over, on a terminal only. */
function showProgress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}
