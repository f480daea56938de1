import { assert } from 'chai';
import { createReferenceBackend } from '@flow-matching/tensor';
import { edgeCases } from '../src/suites/edgeCases.ts';
import { operatorCases } from '../src/suites/operatorCases.ts';

const cases = [...operatorCases(), ...edgeCases()];
const { manifest } = createReferenceBackend();

describe('cases of operators and their edges', () => {
  it('have names of their own', () => {
    const ids = cases.map(({ id }) => id);
    assert.deepEqual(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      [],
    );
  });

  it('cover every operator for every dtype that the reference takes', () => {
    const covered = new Set(operatorCases().map(({ id }) => id.split('/').slice(1, 3).join(' ')));
    const wanted = [...manifest].flatMap(([operator, dtypes]) => dtypes.map((dtype) => `${operator} ${dtype}`));
    assert.deepEqual(
      wanted.filter((name) => !covered.has(name)),
      [],
    );
  });
});
