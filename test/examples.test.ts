import { assembleExperiment, createRootContainer, loadExperiment } from '@flow-matching/cli';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseSetting } from '../packages/cli/src/experiment/parseSetting.ts';

const root = new URL('../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('examples', () => {
  it('library.ts runs, and is what the README shows', async () => {
    expect(text('README.md')).to.include(`\`\`\`ts\n${text('examples/library.ts')}\`\`\``);
    const args = [
      '--conditions=@flow-matching/source',
      '--import',
      './test/support/register.js',
      'examples/library.ts',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root) });
    expect(stdout).to.match(/step 500 {2}loss 3\.\d+/);
    expect(stdout).to.match(/samples 1000 × 2 in \d+ evaluations/);
    expect(Number(/log-likelihood (\d\.\d+)/.exec(stdout)![1])).to.be.within(3.466, 4.4);
  }).timeout(120_000);

  for (const name of ['custom-backend', 'custom-path', 'custom-solver']) {
    it(`${name} trains and samples by the package that its experiment names`, async () => {
      const file = fileURLToPath(new URL(`examples/${name}/experiment.yaml`, root));
      const settings = ['training.steps=3', 'training.batchSize=8', 'model.width=8', 'model.depth=2'].map(parseSetting);
      await using assembled = await assembleExperiment(await loadExperiment(createRootContainer(), file, settings));
      const { data, training, flow } = assembled;
      for await (const { loss } of flow.train(data, training)) expect(loss).to.be.within(0, 100);
      const { samples } = await flow.sample(4, { seed: 1 });
      expect(samples.data.every(Number.isFinite)).to.equal(true);
    });
  }
});
