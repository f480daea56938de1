/**
 * Table 2 of [SF]²M for the experiments of this folder: trains each with several seeds and prints mean ± standard deviation of the
 * 2-Wasserstein distance and the normalized path energy beside the published values, as markdown.
 *
 *     node --conditions=@flow-matching/source --import=./test/support/register.js examples/couplings/table.ts [--seeds 5] [--count 4096]
 *         [--only BEGINNING-OF-A-NAME] [--steps 20000] [--batch 512]
 */
import { assembleExperiment, createRootContainer, loadExperiment } from '@flow-matching/cli';
import { normalizedPathEnergy, wasserstein2 } from '@flow-matching/plugins';
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** W₂ and NPE as published (five seeds). */
const published: Readonly<Record<string, readonly [number, number]>> = {
  'i-cfm-normal-8gaussians': [0.373, 0.202],
  'ot-cfm-normal-8gaussians': [0.303, 0.031],
  'fm-normal-8gaussians': [0.343, 0.19],
  'i-cfm-moons-8gaussians': [1.557, 2.68],
  'ot-cfm-moons-8gaussians': [0.601, 0.015],
  'i-cfm-normal-moons': [0.178, 0.891],
  'ot-cfm-normal-moons': [0.13, 0.083],
  'fm-normal-moons': [0.209, 0.762],
};

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    count: { type: 'string', default: '4096' },
    only: { type: 'string', default: '' },
    steps: { type: 'string' },
    batch: { type: 'string' },
  },
});
const [seeds, count] = [Number(values.seeds), Number(values.count)];

interface Scores {
  readonly distance: number;
  readonly energy: number;
  readonly floor: number;
  readonly loss: number;
  readonly trainingSeconds: number;
  readonly scoringSeconds: number;
}

async function score(file: string, seed: number): Promise<Scores> {
  const settings = [{ path: ['seed'], value: seed, label: 'seed' }];
  if (values.steps) settings.push({ path: ['training', 'steps'], value: Number(values.steps), label: '--steps' });
  if (values.batch) settings.push({ path: ['training', 'batchSize'], value: Number(values.batch), label: '--batch' });
  const loaded = await loadExperiment(createRootContainer(), file, settings);
  await using assembled = await assembleExperiment(loaded);
  const { flow, data, training } = assembled;
  const began = performance.now();
  let loss = NaN;
  for await (const report of flow.train(data, training)) loss = report.loss;
  const trained = performance.now();
  const request = { flow, data, count, seed };
  const distance = await wasserstein2().estimate(request);
  const energy = await normalizedPathEnergy().estimate(request);
  return {
    distance: distance.value,
    floor: distance.details!['floor'],
    energy: energy.value,
    loss,
    trainingSeconds: (trained - began) / 1000,
    scoringSeconds: (performance.now() - trained) / 1000,
  };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const spread = (numbers: readonly number[]): number =>
  Math.sqrt(
    mean(numbers.map((value) => (value - mean(numbers)) ** 2)) * (numbers.length / Math.max(1, numbers.length - 1)),
  );
const column = (numbers: readonly number[]): string => `${mean(numbers).toFixed(3)} ± ${spread(numbers).toFixed(3)}`;

const names = Object.keys(published).filter((name) => name.startsWith(values.only));
const files = readdirSync(import.meta.dirname);
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${seeds} seeds, ${count} points\n`);
const began = performance.now();
console.log('| experiment | W₂ | published | floor | NPE | published | training, s | scoring, s |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const name of names) {
  const file = files.find((candidate) => candidate === `${name}.yaml`);
  if (!file) throw new Error(`There is no ${name}.yaml.`);
  const runs: Scores[] = [];
  for (let seed = 0; seed < seeds; seed++) runs.push(await score(join(import.meta.dirname, file), seed));
  const of = (key: keyof Scores): number[] => runs.map((run) => run[key]);
  const [distance, energy] = published[name] ?? [NaN, NaN];
  console.log(
    `| ${name} | ${column(of('distance'))} | ${distance} | ${column(of('floor'))} | ${column(of('energy'))} | ${energy} | ${mean(of('trainingSeconds')).toFixed(1)} | ${mean(of('scoringSeconds')).toFixed(1)} |`,
  );
}
const processor = process.cpuUsage();
console.log(
  `\n${((performance.now() - began) / 60_000).toFixed(1)} minutes, ${((processor.user + processor.system) / 60e6).toFixed(1)} of processor time`,
);
