import { assert } from 'chai';
import { appliedNodeCases } from '../src/operators/onnx/appliedNodeCases.generated.ts';
import { onnxNodeCases, type OnnxNodeCase } from '../src/operators/onnx/onnxNodeCase.ts';
import { refusal } from '../src/operators/onnx/refusal.ts';

describe('ONNX node cases', () => {
  let cases: readonly OnnxNodeCase[];
  before(async () => {
    cases = await onnxNodeCases();
  });

  it('leave out these and no others', () => {
    const reasons: Record<string, number> = {};
    for (const node of cases) {
      const reason = refusal(node);
      if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    assert.deepEqual(reasons, {
      'an extremum over no elements is refused, and so is one of booleans': 5,
      'attention does not hand out its scores': 5,
      'attention has no soft cap': 10,
      'attention has no window': 5,
      'images have two spatial axes': 2,
      'indices name slices, not single elements': 3,
      'keys are masked by a mask, not by counts': 9,
      'only repeated addition scatters': 6,
      'padding is constant': 3,
      'resizing is nearest, by whole factors, upwards': 36,
      'shapes are static: there is no operator that asks for one': 11,
      'there is no cumulative sum': 2,
    });
    assert.lengthOf(cases, 480);
  });

  it('are listed where they apply', () => {
    const applied = cases.filter((node) => refusal(node) === undefined);
    assert.lengthOf(applied, 383);
    assert.sameMembers(
      appliedNodeCases.map(([op, , name]) => `${op} ${name}`),
      applied.map(({ op, name }) => `${op} ${name}`),
    );
  });
});
