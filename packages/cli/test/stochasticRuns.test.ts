import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { inProcess, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

describe('a run whose solver is stochastic', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  it('trains, reports and is evaluated, its likelihoods computed by dopri5, which results name', async () => {
    const file = folder.file('e.yaml');
    await writeFile(file, tinyExperiment.replace('{ name: midpoint, steps: 4 }', '{ name: euler-maruyama, steps: 6 }'));
    const run = folder.file('a');
    const trained = await inProcess('train', file, '--run', run);
    expect(trained.status, trained.stderr).to.equal(0);
    const results = JSON.parse(readFileSync(folder.file('a/results.json'), 'utf8')) as Record<string, unknown>;
    expect(results).to.include({ nllSolver: 'dopri5', functionEvaluations: 6 });
    expect(results['nll']).to.satisfy(Number.isFinite);
    expect(readFileSync(folder.file('a/report.html'), 'utf8')).to.include('held-out points, by dopri5');

    const scored = await inProcess('evaluate', run, '--count', '50', '--json');
    expect(scored.status, scored.stderr).to.equal(0);
    const { metrics } = JSON.parse(scored.stdout) as { metrics: Record<string, Record<string, unknown>> };
    expect(metrics['nll']).to.include({ solver: 'dopri5' });
    expect(metrics['function-evaluations']).to.include({ value: 6 }).and.not.to.have.property('solver');

    const named = ['evaluate', run, '--count', '50', '--solver', 'predictor-corrector', '--steps', '3'];
    const refused = await inProcess(...named);
    expect(refused.status).to.equal(2);
    expect(refused.stderr).to.match(/--solver predictor-corrector is stochastic, and 'nll' needs a density/);
    const counted = await inProcess(...named, '--metric', 'function-evaluations');
    expect(counted.status, counted.stderr).to.equal(0);
  });
});

describe('an experiment whose samples are bound to be refused', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const stochastic = 'solver={ name: euler-maruyama, steps: 6 }';
  const refusals: [what: string, settings: readonly string[], message: RegExp][] = [
    [
      'a stochastic solver after training on pairs',
      [stochastic, 'coupling=optimal-transport'],
      /FM_OPTION: The solver 'euler-maruyama' needs the score, .* coupling 'optimal-transport'/,
    ],
    [
      'a stochastic solver on a two-sided path',
      [stochastic, 'path=paired-lines', 'data={ name: pair, source: gaussian, target: checkerboard }'],
      /FM_OPTION: The solver 'euler-maruyama' needs the score, .* path 'paired-lines'/,
    ],
    [
      'tolerances below what f32 resolves',
      ['solver={ name: dopri5, rtol: 1.0e-9, atol: 1.0e-9 }'],
      /FM_OPTION: The solver 'dopri5' cannot meet rtol = 1e-9 in f32/,
    ],
    [
      'an objective that does not fit the path',
      ['objective=noise-matching', 'path=paired-lines', 'data={ name: pair, source: gaussian, target: checkerboard }'],
      /FM_PATH: /,
    ],
  ];
  for (const [what, settings, message] of refusals) {
    it(`is refused before the training, without a run directory: ${what}`, async () => {
      await writeFile(folder.file('e.yaml'), tinyExperiment);
      const args = [
        'train',
        folder.file('e.yaml'),
        '--run',
        folder.file('a'),
        ...settings.flatMap((s) => ['--set', s]),
      ];
      const { status, stderr } = await inProcess(...args);
      expect(status).to.equal(1);
      expect(stderr).to.match(message);
      expect(existsSync(folder.file('a'))).to.equal(false);
    });
  }

  it('is trained if no samples are requested', async () => {
    await writeFile(folder.file('e.yaml'), tinyExperiment);
    const settings = ['--set', stochastic, '--set', 'coupling=optimal-transport', '--no-report'];
    const { status, stderr } = await inProcess('train', folder.file('e.yaml'), '--run', folder.file('a'), ...settings);
    expect(status, stderr).to.equal(0);
    const options = ['--solver', 'euler', '--steps', '2', '--count', '3', '--out', folder.file('s.npy')];
    const sampled = await inProcess('sample', folder.file('a'), ...options);
    expect(sampled.status, sampled.stderr).to.equal(0);
  });
});
