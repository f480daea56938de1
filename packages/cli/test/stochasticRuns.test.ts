import { expect } from 'chai';
import { readFileSync } from 'node:fs';
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
