import { checkPath, evaluatePath, type Path, type PathValues, type Plugin } from '@flow-matching/core';
import { hostArray, type Backend } from '@flow-matching/tensor';
import { runConformance } from '@flow-matching/conformance';
import { custom, trigonometric } from '@flow-matching/plugins';
import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { blocksOf, runDocument } from './support/runDocument.ts';

const fileOf = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

describe('docs/writing-a-backend.md', () => {
  it('is the example, in order, and runs as it stands', async () => {
    const blocks = await blocksOf('docs/writing-a-backend.md', 'ts');
    expect(blocks.join('\n')).to.equal(await fileOf('examples/custom-backend/src/index.ts'));
    const { exports } = await runDocument('docs/writing-a-backend.md');
    const { passed, totals } = await runConformance(exports['default'] as () => Backend, { filter: 'L1/MatMul/f32' });
    expect(passed).to.equal(true);
    expect(totals[0].tally.pass).to.be.above(0);
  });
});

describe('quotations', () => {
  const quoted: readonly (readonly [document: string, language: string, file: string])[] = [
    ['docs/writing-a-backend.md', 'typescript', 'examples/custom-backend/test/backend.test.ts'],
    ['docs/writing-a-backend.md', 'yaml', 'examples/custom-backend/experiment.yaml'],
    ['docs/adding-a-path.md', 'typescript', 'examples/custom-path/src/index.ts'],
    ['docs/adding-a-path.md', 'typescript', 'examples/custom-path/test/path.test.ts'],
    ['docs/adding-a-path.md', 'yaml', 'examples/custom-path/experiment.yaml'],
    ['docs/adding-a-solver.md', 'ts', 'examples/custom-solver/src/index.ts'],
    ['docs/adding-a-solver.md', 'typescript', 'examples/custom-solver/test/solver.test.ts'],
    ['docs/adding-a-solver.md', 'yaml', 'examples/custom-solver/experiment.yaml'],
  ];
  for (const [document, language, file] of quoted)
    it(`${document} shows ${file}`, async () => {
      expect(await blocksOf(document, language)).to.include(await fileOf(file));
    });
});

describe('docs/adding-a-path.md', () => {
  it('runs as it stands', async () => {
    const { exports, logged } = await runDocument('docs/adding-a-path.md');
    const x1 = hostArray([1, -2], [2, 1]);
    expect(evaluatePath(exports['cosine'] as Path, { t: [0.1, 0.9], x1 })).to.deep.equal(
      evaluatePath(trigonometric(), { t: [0.1, 0.9], x1 }),
    );
    const path = (exports['power'] as Plugin<'path'>)({ exponent: 3 });
    expect(evaluatePath(path, { t: [0.5, 0.5], x1 }).mean).to.deep.equal(Float64Array.of(0.125, -0.25));
    const [[values], [message]] = logged as [[PathValues], [string]];
    expect(values.std[0]).to.equal(1);
    expect(message).to.match(/^The path 'backwards' does not arrive at the data: its mean is 0 at t = 1, x1 = 1\./);
  });

  it('shows an experiment file that makes a path', async () => {
    const [first] = await blocksOf('docs/adding-a-path.md', 'yaml');
    const { name, ...options } = (parse(first) as { path: { name: string } }).path;
    expect(name).to.equal('custom');
    checkPath(custom(options as never));
  });
});
