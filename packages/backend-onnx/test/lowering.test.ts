import { expect } from 'chai';
import { isFloat } from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
import { draw, expectAgreement, numbers, toleranceOf } from './support/agreement.ts';
import { cases } from './support/cases.ts';

describe('ONNX lowerings agree with the reference', () => {
  const backend = onnx();
  after(() => backend.dispose());

  for (const [operator, dtypes] of backend.manifest) {
    for (const dtype of dtypes) {
      it(`${operator} ${dtype}`, async () => {
        const list = cases[operator];
        expect(list, `cases of ${operator}`).to.not.equal(undefined);
        const next = numbers(operator.length * 31 + dtype.length);
        for (const { shapes, formula, range, dtypes: operandDTypes = [], tolerance } of list) {
          const inputs = shapes.map((shape, i) => {
            const type = { shape, dtype: operandDTypes[i] ?? dtype };
            return draw(type, rangeOf(type.dtype, range), next);
          });
          await expectAgreement(
            backend,
            formula,
            inputs,
            (type) => (type.dtype === 'f32' && tolerance) || toleranceOf(type),
          );
        }
      });
    }
  }

  it('has a case for nothing that is not in the manifest', () => {
    expect(Object.keys(cases).filter((operator) => !backend.manifest.has(operator))).to.deep.equal([]);
  });
});

/** Whole numbers need room to differ, unsigned ones no sign. */
function rangeOf(dtype: string, range: readonly [number, number] = [-4, 4]): readonly [number, number] {
  if (isFloat(dtype as 'f32') || dtype === 'bool') return range;
  if (dtype === 'u32') return [0, Math.max(8, range[1])];
  return [Math.floor(range[0]), Math.ceil(range[1])];
}
