import { dtypes } from '@flow-matching/tensor';
import { claim } from '../case/conformanceError.ts';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { operatorCases } from '../suites/operatorCases.ts';
import { lifecycleCase } from './lifecycleCase.ts';

export const manifestCases = (): readonly ConformanceCase[] => [
  lifecycleCase('manifest/names', 'The backend has a name and says what it runs on.', async ({ backend }) => {
    claim(/^[a-z][a-z0-9-]*$/.test(backend.name), `The backend is named '${backend.name}'.`, {
      expected: 'small letters, digits and dashes, as in an experiment file',
    });
    claim(backend.device.length > 0, 'The backend does not say what it runs on.', { expected: 'a device in words' });
  }),
  lifecycleCase(
    'manifest/operators',
    'Whatever the manifest declares is checked: operators of core or composites, each with dtypes.',
    async ({ backend: { manifest } }) => {
      const covered = new Set(operatorCases().map(({ id }) => id.split('/')[1]));
      for (const [name, declared] of manifest) {
        claim(covered.has(name), `The manifest declares '${name}', which no case covers.`, {
          actual: name,
          expected: `one of ${[...covered].join(', ')}`,
        });
        const strange = declared.find((dtype) => !dtypes.includes(dtype));
        claim(strange === undefined, `The manifest declares ${name} for '${strange}'.`, {
          actual: strange,
          expected: dtypes.join(', '),
        });
        claim(declared.length > 0 && new Set(declared).size === declared.length, `The dtypes of ${name} are wrong.`, {
          actual: declared,
          expected: 'each dtype once, one at least',
        });
      }
    },
  ),
];
