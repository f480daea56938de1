import { writeFileSync } from 'node:fs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import type { Backend } from '@flow-matching/core';
import { makeBackend } from './backends.ts';
import { compare, type Comparison } from './compare.ts';
import { sharedInputs, type SharedInputs } from './experiment.ts';
import { formatComparison } from './formatComparison.ts';
import { describeMachine, formatMachine, type Machine } from './machine.ts';
import { parseOptions, usage, UsageError, type BenchOptions, type PeerName } from './options.ts';
import { OurSubject } from './ourSubject.ts';
import { availablePeers, findPeers, installHint, PythonPeer, type InstalledPeers } from './peers/pythonPeers.ts';
import { TfjsLayersPeer } from './peers/tfjsLayersPeer.ts';
import { profile } from './profile/profile.ts';
import type { Subject } from './subject.ts';
import type { Work } from './works.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => {
  console.error('\nStopping after the running turn; once more stops at once.');
  interrupted.abort();
});

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') console.log(usage);
  else await bench(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
if (interrupted.signal.aborted) process.exitCode = 130;

async function bench(options: BenchOptions): Promise<void> {
  const machine = await describeMachine();
  const alone = options.profile || options.peers?.length === 0 || options.works.length === 0;
  const installed = alone ? undefined : await findPeers(options.python);
  const described: Machine = { ...machine, versions: { ...machine.versions, ...installed?.versions } };
  console.log(`${formatMachine(described)}\n${options.threads} threads a subject\n`);

  const backends = await Promise.all(options.backends.map((name) => makeBackend(name, options)));
  const inputs = await sharedInputs(async () => backends[0], options.retrain);
  if (options.profile) {
    await Promise.all(backends.map((backend) => backend.dispose()));
    const profiles = await profile(inputs, options, interrupted.signal);
    writeResult(options, { machine: described, profiles });
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
    const comparisons = await compareAll(subjects, options);
    const studies = await studyAll(backends, inputs, options);
    writeResult(options, { machine: described, threads: options.threads, comparisons, studies });
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

async function compareAll(subjects: readonly Subject[], { works, rounds }: BenchOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const work of works) {
    if (interrupted.signal.aborted) break;
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
      if (interrupted.signal.aborted) return results;
      console.log(`${format(comparisons)}\n`);
      results.push({ study: id, backend: backend.name, comparisons });
    }
  }
  return results;
}

async function compareInTurns(work: Work, subjects: readonly Subject[], rounds: number): Promise<Comparison> {
  const comparison = await compare(work, subjects, { rounds, signal: interrupted.signal, onProgress: showProgress });
  showProgress('');
  return comparison;
}

/** One line that is written over, on a terminal only. */
function showProgress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}

function writeResult({ json }: BenchOptions, result: object): void {
  if (json === undefined) return;
  writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`Every timing is in ${json}.`);
}
