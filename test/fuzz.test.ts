import { DataError } from '@flow-matching/tensor';
import { expect } from 'chai';
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fuzz } from './fuzz/fuzz.ts';
import { fuzzCase, problemOf } from './fuzz/runCase.ts';
import type { FuzzTarget } from './fuzz/targets.ts';

const target = (read: FuzzTarget['read']): FuzzTarget => ({
  name: 'a format',
  samples: [new TextEncoder().encode('{"a": [1, 2, 3]}')],
  read,
});

describe('the fuzz command', () => {
  it('makes the same input again from seed and index, and others from others', () => {
    const targets = [target(() => undefined)];
    const input = (seed: number, index: number): string => fuzzCase(targets, seed, index).input.join();
    const inputs = Array.from({ length: 200 }, (_, index) => input(1, index));
    expect(inputs).to.deep.equal(Array.from({ length: 200 }, (_, index) => input(1, index)));
    expect(new Set(inputs).size).to.be.above(180);
    expect(inputs.filter((text, index) => text === input(2, index)).length).to.be.below(20);
  });

  it('accepts typed errors, and reports any other as a problem', async () => {
    const problem = async (read: FuzzTarget['read']): Promise<string | undefined> =>
      problemOf({ target: target(read), input: new Uint8Array(1) });
    expect(await problem(() => undefined)).to.equal(undefined);
    expect(await problem(() => Promise.reject(new DataError('refused')))).to.equal(undefined);
    expect(await problem(() => Promise.reject(new TypeError('x is undefined')))).to.match(/^TypeError: x is undefined/);
    expect(await problem(() => Promise.reject(new DataError('x', { expected: 'x'.repeat(30_000) })))).to.match(
      /message has \d+ characters/,
    );
    try {
      const polluted = await problem(
        () => void Object.defineProperty(Object.getPrototypeOf({}), 'x', { configurable: true }),
      );
      expect(polluted).to.equal('Object.prototype was changed: x');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'x');
    }
  });

  it('finds no input among the first of a fixed seed that is answered by an untyped error, but one that is broken on purpose', async function () {
    this.timeout(60_000);
    const { cases, failures } = await fuzz({ seed: 20_240_101, cases: 240, broken: { index: 100, how: 'throws' } });
    expect(cases).to.equal(240);
    try {
      expect(failures.map(({ index, problem }) => `${index}: ${problem.split('\n')[0]}`)).to.deep.equal([
        '100: Error: broken on purpose',
      ]);
      expect(readFileSync(failures[0].file).length).to.be.above(0);
    } finally {
      if (failures.length > 0) rmSync(dirname(failures[0].file), { recursive: true });
    }
  });
});
