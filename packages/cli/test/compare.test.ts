import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { identityOf } from '../src/experiment/experimentHash.ts';
import { loadExperiment } from '../src/experiment/assembleExperiment.ts';
import { inProcess } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

const costPoint = z.strictObject({
  solver: z.string(),
  tolerance: z.number().positive().optional(),
  functionEvaluations: z.int().positive(),
  error: z.number().min(0),
  inSupport: z.number().min(0).max(1),
});

/** What scripts may rely on. */
const comparison = z.strictObject({
  count: z.literal(64),
  seed: z.literal(3),
  data: z.looseObject({ name: z.literal('checkerboard') }),
  solver: z.strictObject({ name: z.literal('dopri5'), rtol: z.literal(1e-5), atol: z.literal(1e-5) }),
  runs: z.array(
    z.strictObject({
      run: z.string(),
      label: z.string(),
      step: z.literal(8),
      heldOutCount: z.literal(64),
      path: z.string(),
      objective: z.string(),
      nll: z.number(),
      nllStandardError: z.number().positive(),
      entropy: z.number(),
      nllAboveEntropy: z.number(),
      inSupport: z.number(),
      inSupportStandardError: z.number(),
      functionEvaluations: z.int(),
      wasserstein2: z.number().positive(),
      wasserstein2StandardError: z.number(),
      wasserstein2Count: z.literal(64),
      wasserstein2Floor: z.number().positive(),
      millisecondsPerStep: z.number().positive(),
      cost: z.strictObject({
        reference: z.strictObject({
          name: z.literal('midpoint'),
          steps: z.literal(500),
          functionEvaluations: z.literal(1000),
        }),
        fixed: z.array(costPoint),
        adaptive: z.array(costPoint),
      }),
      failures: z.array(z.string()),
    }),
  ),
  environment: z.looseObject({ backend: z.string(), versions: z.record(z.string(), z.string()) }),
  files: z.strictObject({
    results: z.string(),
    samplingCost: z.string(),
    trajectories: z.string(),
    fewEvaluations: z.string(),
    report: z.string(),
  }),
});

describe('compare', function () {
  this.timeout(60_000);
  let folder = '';
  const file = (name: string): string => join(folder, name);
  const train = async (run: string, ...settings: string[]): Promise<void> => {
    const { status, stderr } = await inProcess(
      'train',
      file('e.yaml'),
      '--run',
      file(run),
      '--no-report',
      '--quiet',
      '--set',
      'training.steps=8',
      'training.reportEvery=2',
      ...settings,
    );
    expect(status, stderr).to.equal(0);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flow-matching-'));
    writeFileSync(file('e.yaml'), tinyExperiment);
    await train('ot', 'name=straight');
    await train('vp', 'name=diffused', 'path.name=variance-preserving', 'objective.name=noise-matching');
    await train('half', 'data.name=gaussian-mixture', 'data.weights=[1]', 'data.means=[[0,0]]', 'data.stds=[1]');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a table and writes self-contained figures', async () => {
    const { status, stdout, stderr } = await inProcess(
      'compare',
      file('ot'),
      file('vp'),
      '--count',
      '64',
      '--out',
      file('both'),
      '--json',
    );
    expect(status, stderr).to.equal(0);
    const { runs, files } = comparison.parse(JSON.parse(stdout));
    expect(runs.map(({ label, path, objective }) => [label, path, objective])).to.deep.equal([
      ['straight', 'optimal-transport', 'conditional-flow-matching'],
      ['diffused', 'variance-preserving', 'noise-matching'],
    ]);
    for (const { cost } of runs) {
      const spent = (solver: string): number[] =>
        cost.fixed.filter((point) => point.solver === solver).map((point) => point.functionEvaluations);
      expect(spent('euler')).to.deep.equal([4, 8, 10, 20, 40, 100]);
      expect(spent('midpoint')).to.deep.equal([4, 8, 10, 20, 40, 100]);
      expect(spent('rk4')).to.deep.equal([4, 8, 20, 40, 100]);
      const euler = cost.fixed.filter(({ solver }) => solver === 'euler');
      expect(euler.at(-1)!.error, 'euler converges to the fine solution').to.be.lessThan(euler[0].error / 5);
      expect(cost.adaptive.map(({ tolerance }) => tolerance)).to.deep.equal([1e-2, 1e-3, 1e-4, 1e-5, 1e-6]);
    }
    // Untrained noise matching grows without bound towards the data, and there 1000 evaluations are off by more.
    const [straight, diffused] = runs.map(({ cost }) => cost.adaptive.at(-1)!.error);
    expect(straight).to.be.lessThan(1e-3);
    expect(diffused).to.be.lessThan(0.1);
    const { report, results, ...figures } = files;
    const saved = JSON.parse(readFileSync(results, 'utf8')) as object;
    expect(comparison.omit({ files: true }).safeParse(saved).success).to.equal(true);
    const page = readFileSync(report, 'utf8');
    for (const figure of Object.values(figures)) {
      const svg = readFileSync(figure, 'utf8');
      expect(svg).to.match(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*><style>/);
      expect(svg, 'names both runs').to.include('straight').and.to.include('diffused');
      expect(svg, 'no number is lost on the way').not.to.match(/NaN|undefined|Infinity/);
    }
    expect(page.match(/<svg /g)).to.have.length(3);
    expect(page, 'nothing is fetched').not.to.match(/(src|href)="(?!data:)|@import|<script|url\((?!#)/);
    const ids = Array.from(page.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    expect(new Set(ids).size, 'ids are unique in the page').to.equal(ids.length);
  });

  it('shows a single run, and distinguishes runs with equal names', async () => {
    const alone = await inProcess('compare', file('ot'), '--count', '16', '--quiet', '--out', file('alone'));
    expect(alone.stdout, alone.stderr).to.match(/^run +path +objective +NLL \[nats\] +NLL − entropy +in support +NFE/);
    expect(alone.stdout).to.match(/\nstraight +optimal-transport +conditional-flow-matching +\d/);
    expect(alone.stderr).to.equal('');
    const twice = await inProcess(
      'compare',
      file('ot'),
      file('ot'),
      '--count',
      '4',
      '--seed',
      '9',
      '--quiet',
      '--out',
      file('twice'),
    );
    expect(twice.status, twice.stderr).to.equal(0);
    expect(JSON.parse(readFileSync(file('twice/compare.json'), 'utf8'))).to.include({ count: 4, seed: 9 });
    expect(twice.stdout.split('\n')[1]).to.match(/ot +optimal-transport/);
  });

  it('refuses runs with different data, naming the difference', async () => {
    const { status, stdout } = await inProcess('compare', file('ot'), file('half'), '--json', '--out', file('no'));
    expect(status).to.equal(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect(error.code).to.equal('FM_RUN');
    expect(error.message).to.match(
      /runs of different data: data\.name is "checkerboard" in the first and "gaussian-mix/,
    );
    expect(existsSync(file('no'))).to.equal(false);
  });

  it('refuses a directory that is not a run, and a run without a checkpoint, before any measurement', async () => {
    mkdirSync(file('empty'));
    const mismatch = await inProcess('compare', file('ot'), file('empty'), '--out', file('no'));
    expect(mismatch.status).to.equal(1);
    expect(mismatch.stderr).to.match(/^error FM_RUN: .*empty is not a run directory: it has no experiment.yaml/);
    mkdirSync(file('young'));
    writeFileSync(file('young/experiment.yaml'), readFileSync(file('ot/experiment.yaml')));
    const young = await inProcess('compare', file('ot'), file('young'), '--out', file('no'));
    expect(young.stderr).to.match(/^error FM_CHECKPOINT: .*young has no checkpoint yet/);
    expect((await inProcess('compare')).status, 'no run at all').to.equal(2);
    expect(existsSync(file('no'))).to.equal(false);
  });
});

describe('examples/ablation', () => {
  const families = [
    ['fm-ot', 'fm-vp', 'fm-ve', 'noise-matching', 'score-matching', 'score-flow'],
    ['fm-ot-long', 'fm-vp-long'],
  ];

  for (const names of families) {
    it(`differ in path and objective alone: ${names.join(', ')}`, async () => {
      const rests = await Promise.all(
        names.map(async (name) => {
          const path = fileURLToPath(new URL(`../../../examples/ablation/${name}.yaml`, import.meta.url));
          const { experiment } = await loadExperiment(createRootContainer(), path);
          expect(experiment.name).to.equal(name);
          return { ...identityOf(experiment), path: undefined, objective: undefined };
        }),
      );
      for (const rest of rests) expect(rest).to.deep.equal(rests[0]);
    });
  }
});
