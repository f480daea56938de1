import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { edits } from './mutation/edits.ts';
import { plant } from './mutation/plant.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

describe('the list of npm run mutation', () => {
  it('has sixty edits or more, no two alike', () => {
    expect(edits.length).to.be.at.least(60);
    expect(new Set(edits.map(({ file, text, replacement }) => `${file}\n${text}\n${replacement}`)).size).to.equal(
      edits.length,
    );
  });

  it('names texts that stand in their files exactly once, and tests that are there', () => {
    const stale = edits
      .filter((edit) => plant(readFileSync(at(edit.file), 'utf8'), edit) === undefined)
      .map(({ file, text }) => `${file}: ${text}`);
    expect(stale).to.deep.equal([]);
    const missing = edits
      .flatMap(({ tests }) => tests.map((test) => test.split('#')[0]))
      .filter((file) => !existsSync(at(file)));
    expect(missing).to.deep.equal([]);
  });

  it('changes what it names, and names tests', () => {
    for (const { text, replacement, tests } of edits) {
      expect(replacement).not.to.equal(text);
      expect(tests).not.to.deep.equal([]);
    }
  });

  it('plants nothing if a text is missing or occurs twice', () => {
    const edit = { file: '', text: 'ab', replacement: 'c', tests: [] };
    expect(plant('xaby', edit)).to.equal('xcy');
    expect(plant('xy', edit)).to.equal(undefined);
    expect(plant('abab', edit)).to.equal(undefined);
  });
});
