import { levelTitles, runConformance, type Level } from '@flow-matching/conformance';
import type { Backend } from '@flow-matching/core';
import { assert } from 'chai';
import { brokenCases } from './brokenCases.ts';

/** A backend of the repository as the conformance suite sees it. */
export interface Subject {
  readonly name: string;
  readonly create: () => Backend | Promise<Backend>;
  /** Operators with a dtype that it does not declare. Cases end as unsupported for these and nothing else. */
  readonly undeclared: readonly string[];
  /** Why it cannot run here, if it cannot. */
  readonly absent?: string | undefined;
}

/** Registers levels of the suite for a backend, a test for each level. */
export function conformanceOfSubject({ name, create, undeclared, absent }: Subject, levels: readonly Level[]): void {
  describe(`conformance of ${name}${absent ? ` (skipped: ${absent})` : ''}`, () => {
    before(function () {
      if (absent) this.skip();
    });
    const missing = new Set<string>();
    for (const level of levels) {
      it(`level ${level}: ${levelTitles[level]}`, async function () {
        this.timeout(300_000);
        const report = await runConformance(create, { levels: [level] });
        assert.deepEqual(brokenCases(report), []);
        for (const { id, status } of report.results)
          if (status === 'unsupported') missing.add(id.split('/').slice(1, 3).join(' '));
      });
    }
    it('leaves out what it does not declare and nothing else', () => {
      assert.includeMembers([...undeclared], [...missing]);
      if (levels.includes(1)) assert.sameMembers([...missing], [...undeclared]);
    });
  });
}
