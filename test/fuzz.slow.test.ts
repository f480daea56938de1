import { expect } from 'chai';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fuzz } from './fuzz/fuzz.ts';

describe('the fuzz command, for a minute', () => {
  it('finds no input that is answered by an untyped error, hangs or takes the memory', async function () {
    this.timeout(180_000);
    const seed = Math.floor(Date.now() / 86_400_000);
    const { cases, failures } = await fuzz({ seed, seconds: 60 });
    expect(failures, `npm run fuzz -- --seed ${seed} --case N`).to.deep.equal([]);
    expect(cases).to.be.above(500);
  });

  it('ends a reader that hangs, and goes on after it', async function () {
    this.timeout(120_000);
    const { cases, failures } = await fuzz({ seed: 1, cases: 4, longest: 10_000, broken: { index: 1, how: 'hangs' } });
    rmSync(dirname(failures[0].file), { recursive: true });
    expect(cases).to.equal(4);
    expect(failures.map(({ index, problem }) => [index, problem])).to.deep.equal([
      [1, 'It took more than 10 seconds.'],
    ]);
  });
});
