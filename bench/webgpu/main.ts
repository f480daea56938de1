import type { FoundAdapter } from '../../test/support/webgpu/chooseAdapter.ts';
import { findAdapter } from '../../test/support/webgpu/findAdapter.ts';
import type { Comparison } from '../compare.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { runBench, writeResult, type BenchRun } from '../runBench.ts';
import type { Subject } from '../subject.ts';
import { formatFacts, formatRates } from './formatRates.ts';
import { ForkedSubject } from './forkedSubject.ts';
import { installedVersions } from './installedVersions.ts';
import { profileKernels } from './profileKernels.ts';
import { torchCuda } from './torchCuda.ts';
import { parseWebgpuOptions, webgpuUsage, type WebgpuBenchOptions } from './webgpuOptions.ts';
import { webgpuWorks, type WebgpuWork } from './webgpuWorks.ts';

await runBench(parseWebgpuOptions, webgpuUsage, bench);

async function bench(options: WebgpuBenchOptions, run: BenchRun): Promise<void> {
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
    const comparisons = await compareAll(works, forked, subjects, options.rounds, run);
    console.log(describeOurs(works, forked));
    writeResult(options.json, { machine: described, adapter: name, comparisons });
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
  { signal, compareInTurns }: BenchRun,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const work of works) {
    if (signal.aborted) break;
    const comparison = await compareInTurns(work, subjects, rounds);
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
