import { philox } from '@flow-matching/tensor';
import { expect } from 'chai';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from './commandLine.ts';
import { tinyExperiment } from './tinyExperiment.ts';

/**
 * Trains once without disturbance, then again while the process is killed at random moments and resumed each time, and compares:
 * final checkpoints byte by byte, and the reports of every step.
 */
export async function killAndResume(
  folder: string,
  { kills, steps, seed }: { kills: number; steps: number; seed: number },
): Promise<void> {
  const args = [
    'train',
    'e.yaml',
    '--no-report',
    '--set',
    `training.steps=${steps}`,
    'training.checkpointEvery=4',
    'training.reportEvery=2',
  ];
  writeFileSync(join(folder, 'e.yaml'), tinyExperiment);
  const began = performance.now();
  const whole = await start([...args, '--run', 'whole'], folder).ended;
  expect(whole.status, whole.stderr).to.equal(0);
  const duration = performance.now() - began;

  const moments = uniforms(seed, kills);
  const reached: number[] = [];
  for (const moment of moments) {
    const { child, ended } = start([...args, '--run', 'killed', '--resume'], folder);
    // The whole of a process's life: before it begins to train, while it does, while it saves.
    const timer = setTimeout(() => child.kill('SIGKILL'), moment * duration);
    const { status, signal, stderr } = await ended;
    clearTimeout(timer);
    if (signal !== 'SIGKILL') expect(status, stderr).to.equal(0);
    reached.push(lastStep(join(folder, 'killed')));
    // A training that got to its end before the kill has nothing left to be killed in: begin anew.
    if (signal === null && reached.length < kills) rmSync(join(folder, 'killed'), { recursive: true });
  }
  const { status, stderr } = await start([...args, '--run', 'killed', '--resume'], folder).ended;
  expect(status, stderr).to.equal(0);
  const final = (run: string): Buffer => readFileSync(join(folder, run, 'checkpoints', `${steps}.safetensors`));
  expect(
    final('killed').equals(final('whole')),
    `final checkpoints after kills at steps ${reached.join(', ')}`,
  ).to.equal(true);
  expect(reports(join(folder, 'killed'))).to.deep.equal(reports(join(folder, 'whole')));
}

function uniforms(seed: number, count: number): number[] {
  const words = new Uint32Array(4);
  return Array.from({ length: count }, (_, i) => {
    philox(seed, 0, i, 0, 0, 0, words);
    return words[0] / 2 ** 32;
  });
}

function lastStep(run: string): number {
  const latest = join(run, 'checkpoints', 'latest');
  return existsSync(latest) ? Number.parseInt(readFileSync(latest, 'utf8'), 10) : 0;
}

/** Every line of metrics.jsonl but for its clock. */
const reports = (run: string): unknown[] =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Object.assign(JSON.parse(line) as object, { seconds: 0 }));
