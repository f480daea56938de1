import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import type { Backend } from '@flow-matching/tensor';
import { makeBackend } from './backends.ts';
import { UsageError } from './arguments.ts';
import type { Comparison } from './compare.ts';
import { sharedInputs, type SharedInputs } from './experiment.ts';
import { formatComparison } from './formatComparison.ts';
import { describeMachine, formatMachine, type Machine } from './machine.ts';
import { parseOptions, usage, type BenchOptions, type PeerName } from './options.ts';
import { OurSubject } from './ourSubject.ts';
import { availablePeers, findPeers, installHint, PythonPeer, type InstalledPeers } from './peers/pythonPeers.ts';
import { TfjsLayersPeer } from './peers/tfjsLayersPeer.ts';
import { profile } from './profile/profile.ts';
import { runBench, writeResult, type BenchRun } from './runBench.ts';
import type { Subject } from './subject.ts';

await runBench(parseOptions, usage, bench);

async function bench(options: BenchOptions, run: BenchRun): Promise<void> {
  const machine = await describeMachine();
  const alone = options.profile || options.peers?.length === 0 || options.works.length === 0;
  const installed = alone ? undefined : await findPeers(options.python);
  const described: Machine = { ...machine, versions: { ...machine.versions, ...installed?.versions } };
  console.log(`${formatMachine(described)}\n${options.threads} threads a subject\n`);

  const backends = await Promise.all(options.backends.map((name) => makeBackend(name, options)));
  const inputs = await sharedInputs(async () => backends[0], options.retrain);
  if (options.profile) {
    await Promise.all(backends.map((backend) => backend.dispose()));
    const profiles = await profile(inputs, options, run.signal);
    writeResult(options.json, { machine: described, profiles });
    return;
  }

  const subjects = [
    ...backends.map(
      (backend: Backend, i) =>
        new OurSubject(backend, inputs, { name: `flow-matching (${options.backends[i]})`, parts: {} }),
    ),
    ...(options.works.length > 0 ? peersOf(options, installed, inputs) : []),
  ];
  try {
    const comparisons = await compareAll(subjects, options, run);
    const studies = await studyAll(backends, inputs, options, run);
    writeResult(options.json, { machine: described, threads: options.threads, comparisons, studies });
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
}

/** @throws UsageError where a peer that was asked for by name is not installed. */
function peersOf(
  { peers, threads }: BenchOptions,
  installed: InstalledPeers | undefined,
  inputs: SharedInputs,
): Subject[] {
  if (peers?.length === 0) return [];
  const python = installed ? availablePeers(installed) : [];
  const available: readonly PeerName[] = isTensorflowInstalled() ? [...python, 'tfjs-layers'] : python;
  const missing = peers?.filter((name) => !available.includes(name)) ?? [];
  if (missing.length > 0) throw new UsageError(`Not installed: ${missing.join(', ')}.\n${installHint}`);
  if (python.length === 0 && !peers) console.log(`No Python peers are installed; they are skipped.\n${installHint}\n`);
  return (peers ?? available).map((name) =>
    name === 'tfjs-layers' ? new TfjsLayersPeer(threads) : new PythonPeer(name, installed!, inputs, threads),
  );
}

async function compareAll(
  subjects: readonly Subject[],
  { works, rounds }: BenchOptions,
  { signal, compareInTurns }: BenchRun,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const work of works) {
    if (signal.aborted) break;
    const comparison = await compareInTurns(work, subjects, rounds);
    console.log(`${formatComparison(comparison)}\n`);
    comparisons.push(comparison);
  }
  return comparisons;
}

interface StudyResult {
  readonly study: string;
  readonly backend: string;
  readonly comparisons: readonly Comparison[];
}

async function studyAll(
  backends: readonly Backend[],
  inputs: SharedInputs,
  { studies, rounds }: BenchOptions,
  { signal, compareInTurns }: BenchRun,
): Promise<StudyResult[]> {
  const results: StudyResult[] = [];
  for (const backend of backends) {
    for (const { id, contests, format } of studies) {
      const comparisons: Comparison[] = [];
      for (const { work, variants } of contests) {
        const subjects = variants.map((variant) => new OurSubject(backend, inputs, variant));
        comparisons.push(await compareInTurns(work, subjects, rounds));
      }
      // Of a study that was interrupted there may be no table to make.
      if (signal.aborted) return results;
      console.log(`${format(comparisons)}\n`);
      results.push({ study: id, backend: backend.name, comparisons });
    }
  }
  return results;
}
