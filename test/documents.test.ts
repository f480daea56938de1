import { checkPath, evaluatePath, hostArray, type Path, type PathValues, type Plugin } from '@flow-matching/core';
import { custom, trigonometric } from '@flow-matching/plugins';
import { expect } from 'chai';
import { parse } from 'yaml';
import { blocksOf, runDocument } from './support/runDocument.ts';

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
