import { assert } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lifecycleCases } from '../src/suites/lifecycleCases.ts';
import {
  brokenBackend,
  donationsLostSilently,
  immortalArrays,
  firstBinding,
  keptDonations,
  leakingCompilations,
  overwrittenInputs,
  uncountedExecutables,
  undisposedExecutables,
  type Defect,
} from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';

/** All but the ten thousand runs, which take longer than all others together. */
const quick = lifecycleCases().filter(({ id }) => !id.startsWith('L0/growth'));

const expectations: readonly { readonly defect: Defect; readonly caughtBy: readonly string[] }[] = [
  { defect: overwrittenInputs, caughtBy: ['L0/donation/old values', 'L0/donation/swapped'] },
  { defect: keptDonations, caughtBy: ['L0/donation/takes'] },
  { defect: donationsLostSilently, caughtBy: ['L0/runs/a failed run'] },
  { defect: firstBinding, caughtBy: ['L0/binding/twice'] },
  { defect: undisposedExecutables, caughtBy: ['L0/disposal/executable'] },
  { defect: uncountedExecutables, caughtBy: ['L0/disposal/shared'] },
  { defect: immortalArrays, caughtBy: ['L0/disposal/arrays of a backend'] },
];

describe('level 0', () => {
  for (const { defect, caughtBy } of expectations) {
    it(`catches ${defect.name}`, async () => {
      const { passed, broken } = await idsByStatus(quick, () => brokenBackend(defect));
      assert.includeMembers(broken, [...caughtBy]);
      assert.isAbove(passed.length, broken.length);
    });
  }

  it(`catches ${leakingCompilations.name}`, async () => {
    const script = fileURLToPath(new URL('support/leakStatus.ts', import.meta.url));
    const args = ['--conditions=@flow-matching/source', '--import', './test/support/register.js', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.strictEqual(stdout.trim(), 'fail');
  }).timeout(60_000);
});
