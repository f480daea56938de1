import { assert } from 'chai';
import { readFile } from 'node:fs/promises';
import * as tensor from '../src/index.ts';
import { copyOf, type Copy } from './support/copyOf.ts';
import { expectTold } from './support/expectTold.ts';
import { thrownBy } from './support/thrownBy.ts';

describe('two copies of tensor', () => {
  let copy: Copy<typeof tensor>;
  let other: typeof tensor;
  before(async function () {
    this.timeout(60_000);
    copy = await copyOf(import.meta.url);
    other = copy.module;
  });
  after(() => copy.remove());

  const types = { x: tensor.f32([2]) };
  const expectTensorTold = (message: string): void => expectTold(message, '@flow-matching/tensor', tensor.version);

  it('are reported if tensors of both meet in an operator', () => {
    const formulas: readonly ((x: tensor.Tensor) => tensor.Tensor)[] = [
      (x) => x.add(other.constant(2)),
      (x) => other.constant(2).add(x),
      (x) => other.sin(x),
      (x) => other.reshape(x, [1, 2]),
      (x) => tensor.where(other.constant(1, 'bool'), x, x),
    ];
    for (const formula of formulas) {
      let error: Partial<tensor.CopyError> = {};
      try {
        tensor.trace(({ x }) => formula(x), types);
      } catch (thrown) {
        // Of either copy's class.
        error = thrown as tensor.CopyError;
      }
      assert.equal(error.code, 'FM_COPY');
      expectTensorTold(error.message!);
    }
  });

  it('are reported if a formula returns a tensor of the other', () => {
    expectTensorTold(thrownBy(() => tensor.trace(() => other.constant(1), types)).message);
  });

  it('do not affect objects of one copy', () => {
    other.trace(({ x }) => other.sin(x).add(2), { x: other.f32([2]) });
  });

  it('state the version of the package', async () => {
    const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    assert.equal(tensor.version, (JSON.parse(text) as { version: string }).version);
  });
});
