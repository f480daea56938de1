import { backendCases, levelTitles, runConformance, type Level } from '@flow-matching/conformance';
import type { Backend, DType } from '@flow-matching/tensor';
import { assert } from 'chai';
import { brokenCases } from './brokenCases.ts';

/** A backend of the repository as the conformance suite sees it. */
export interface Subject {
  readonly name: string;
  readonly create: () => Backend | Promise<Backend>;
  /** Operators with a dtype that it does not declare. Cases end as unsupported for these and nothing else. */
  readonly undeclared: readonly string[];
  /** Dtypes of which it may have no operator at all. */
  readonly absentDTypes?: readonly DType[];
  /** Why it cannot run here, if it cannot. */
  readonly absent?: string | undefined;
}

/** Registers levels of the suite for a backend, a test for each level: all cases, or those with `chosen` ids. */
export function conformanceOfSubject(
  { name, create, undeclared, absentDTypes = [], absent }: Subject,
  levels: readonly Level[],
  chosen: (id: string) => boolean = () => true,
): void {
  const cases = backendCases().filter(({ id }) => chosen(id));
  describe(`conformance of ${name}${absent ? ` (skipped: ${absent})` : ''}`, () => {
    before(function () {
      if (absent) this.skip();
    });
    const missing = new Set<string>();
    for (const level of levels) {
      it(`level ${level}: ${levelTitles[level]}`, async function () {
        this.timeout(1_200_000);
        // Ten thousand runs take a software adapter a minute, and longer beside other work.
        const report = await runConformance(create, { cases, levels: [level], timeout: 600 });
        assert.deepEqual(brokenCases(report), []);
        for (const { id, status } of report.results)
          if (status === 'unsupported' && !absentDTypes.some((dtype) => id.split('/')[2] === dtype))
            missing.add(operatorOf(id));
      });
    }
    it('leaves out what it does not declare and nothing else', () => {
      assert.includeMembers([...undeclared], [...missing]);
      if (levels.includes(1)) assert.sameMembers([...missing], [...undeclared]);
    });
  });
}

/** All but what runs a program ten thousand times and compiles nine hundred: most of the time of level 0. */
export const withoutGrowth = (id: string): boolean => !id.startsWith('L0/growth');

/** `Cast f32` of the ids `L1/Cast/f32/to i32` and `L3/cast/f32`. */
function operatorOf(id: string): string {
  const [, name, dtype] = id.split('/');
  return `${name[0].toUpperCase()}${name.slice(1)} ${dtype}`;
}
