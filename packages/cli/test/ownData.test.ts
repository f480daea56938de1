import { SolverError, type Estimate } from '@flow-matching/core';
import { expect } from 'chai';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssembledExperiment } from '../src/experiment/assembleExperiment.ts';
import { scoreRun } from '../src/report/scoreRun.ts';
import { Output } from '../src/terminal/output.ts';
import { inProcess } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

interface Evaluation {
  readonly metrics: Record<string, { readonly value: number; readonly count: number }>;
  readonly failures?: Record<string, { readonly code: string; readonly message: string }>;
}

describe('own data, of which 30 points are held out', function () {
  this.timeout(90_000);
  let folder = '';
  const file = (name: string): string => join(folder, name);
  const write = (name: string, column: (i: number) => readonly number[]): string => {
    writeFileSync(file(name), `${Array.from({ length: 90 }, (_, i) => column(i).join(',')).join('\n')}\n`);
    return `{ name: points, file: ${file(name)}, heldOut: 0.333 }`;
  };
  const train = async (run: string, data: string, ...rest: string[]): Promise<{ stdout: string; stderr: string }> => {
    writeFileSync(file('e.yaml'), tinyExperiment.replace('data: checkerboard', `data: ${data}`));
    const { status, ...streams } = await inProcess('train', file('e.yaml'), '--run', file(run), '--quiet', ...rest);
    expect(status, streams.stderr).to.equal(0);
    return streams;
  };
  const evaluate = async (...args: string[]) => {
    const { status, stdout, stderr } = await inProcess('evaluate', file('a'), '--quiet', '--json', ...args);
    return { status, stderr, ...(JSON.parse(stdout) as Evaluation) };
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flow-matching-'));
    await train(
      'a',
      write('ring.csv', (i) => [Math.sin(i), Math.cos(i)]),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is drawn and scored correctly in the report', () => {
    const page = readFileSync(file('a/report.html'), 'utf8');
    expect(page).to.include('30 held-out points, all of them.').and.not.to.include('training has not seen');
    expect(page).to.match(/10,000 samples of the trained flow(, of which [\d,]+ lie within the axes)?\./);
    const results = JSON.parse(readFileSync(file('a/results.json'), 'utf8')) as object;
    expect(results).to.include({ count: 10_000, nllCount: 30 });
  });

  it('is compared by as many points as are held out, and says how many', async () => {
    const { status, stderr } = await inProcess('compare', file('a'), '--count', '64', '--quiet', '--out', file('c'));
    expect(status, stderr).to.equal(0);
    expect(stderr).to.equal('');
    const page = readFileSync(file('c/compare.html'), 'utf8');
    expect(page).to.include('64 samples, 30 held-out points, seed 3');
    expect(page).to.match(/W₂ is between 30 samples and as many held-out points; two samples of the data are \d/);
    const { runs } = JSON.parse(readFileSync(file('c/compare.json'), 'utf8')) as { runs: object[] };
    expect(runs[0]).to.include({ heldOutCount: 30, wasserstein2Count: 30 });
  });

  it('has a Wasserstein distance by default', async () => {
    const { status, metrics, stderr } = await evaluate('--metric', 'wasserstein-2');
    expect(status, stderr).to.equal(0);
    expect(metrics['wasserstein-2']).to.include({ count: 30 });
  });

  it('keeps the computed metrics if another one fails', async () => {
    const { status, metrics, failures, stderr } = await evaluate('--metric', 'in-support', 'nll', 'energy-distance');
    expect(status).to.equal(1);
    expect(Object.keys(metrics)).to.deep.equal(['nll', 'energy-distance']);
    expect(failures!['in-support']).to.include({ code: 'FM_DATA' });
    expect(stderr).to.match(/in-support: error FM_DATA: The density of the data 'points' is not known/);
    const alone = await inProcess('evaluate', file('a'), '--quiet', '--json', '--metric', 'in-support');
    expect(alone.status).to.equal(1);
    expect(JSON.parse(alone.stdout), 'one metric is the command').to.have.all.keys('error');
    const text = await inProcess('evaluate', file('a'), '--quiet', '--metric', 'in-support', 'function-evaluations');
    expect(text.stdout).to.match(/^in-support +– +failed\nfunction-evaluations +8 /);
  });

  it('keeps the measured runs if another one fails', async () => {
    for (const run of ['b', 'broken']) cpSync(file('a'), file(run), { recursive: true });
    const checkpoint = file('broken/checkpoints/60.safetensors');
    for (const step of [40, 50, 60]) writeFileSync(checkpoint.replace('60', String(step)), 'nothing');
    const out = ['--count', '8', '--quiet', '--out', file('kept')];
    const { status, stdout, stderr } = await inProcess('compare', file('broken'), file('b'), ...out);
    expect(status).to.equal(1);
    expect(stderr).to.match(/^broken: error FM_CHECKPOINT: /);
    expect(stdout).to.match(/^run .*\nb +optimal-transport /);
    expect(readFileSync(file('kept/compare.html'), 'utf8')).to.include('broken – ');
    const alone = await inProcess('compare', file('broken'), ...out);
    expect(alone.status).to.equal(1);
    expect(alone.stderr).to.match(/^error FM_CHECKPOINT: /);
  });

  it('whose columns differ widely in scale gets separate axes, and a note about samples outside them', async () => {
    const { stderr } = await train(
      'far',
      write('units.csv', (i) => [3e4 + 500 * Math.sin(i), 3 + 0.01 * Math.cos(i)]),
    );
    expect(stderr).to.include('0 of 10,000 samples lie within the axes of the picture');
    const page = readFileSync(file('far/report.html'), 'utf8');
    expect(page).to.include('10,000 samples of the trained flow, of which 0 lie within the axes.');
    const [, figure] = /<h3>Data<\/h3>(.*?)<\/figure>/.exec(page)!;
    const ticks = Array.from(figure.matchAll(/class="(end|middle)"[^>]*>([^<]*)</g), ([, , text]) => text);
    expect(ticks).to.include.members(['2.990', '3.000', '3.010']).and.to.include.members(['29,600', '30,000']);
  });

  it('of both sides of a path is sampled from each held-out point once', async () => {
    const [from, to] = [write('from.csv', (i) => [Math.sin(i), 1]), write('to.csv', (i) => [Math.cos(i), i / 90])];
    await train('pair', `{ name: pair, source: ${from}, target: ${to} }`, '--set', 'path={name: paired-lines}');
    expect(JSON.parse(readFileSync(file('pair/results.json'), 'utf8'))).to.include({ count: 30 });
    expect(readFileSync(file('pair/report.html'), 'utf8')).to.include('30 samples of the trained flow');
  });

  it('with none held out is shown as training points', async () => {
    const data = write('all.csv', (i) => [Math.sin(i), Math.cos(i)]).replace(', heldOut: 0.333', '');
    await train('none', data);
    expect(readFileSync(file('none/report.html'), 'utf8')).to.include('90 training points, all of them.');
  });
});

describe('the scores of a run', () => {
  const nll: Estimate = { value: 1, count: 4, unit: 'nats' };
  const scores = (estimate: () => Promise<Estimate>) => {
    const array = { data: Float32Array.of(1, 2), shape: [1, 2], dtype: 'f32' } as const;
    const drawn = { samples: array, functionEvaluations: 3, status: [] };
    const flow = { path: { sides: 'one' }, context: {}, sample: async () => drawn };
    const data = { name: 'x', shape: [2], batch: async () => ({ x1: array }) };
    const registry = { build: () => ({ estimate }) };
    const assembled = { flow, data, registry, experiment: { seed: 1 } } as unknown as AssembledExperiment;
    const output = new Output({ stdout: process.stdout, stderr: process.stderr }, { quiet: true });
    return scoreRun(assembled, output, new AbortController().signal);
  };

  it('keep the samples and the reason if the likelihood cannot be computed', async () => {
    const failing = await scores(() => Promise.reject(new SolverError('no end in sight')));
    expect(failing)
      .to.include({ nllFailure: 'no end in sight', functionEvaluations: 3 })
      .and.not.to.have.property('nll');
    expect(await scores(async () => nll))
      .to.deep.include({ nll })
      .and.not.to.have.property('nllFailure');
  });

  it('fail on an unexpected error', async () => {
    const defect = new TypeError('a defect');
    expect(await scores(() => Promise.reject(defect)).catch((error: unknown) => error)).to.equal(defect);
  });
});
