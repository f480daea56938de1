import * as core from '@flow-matching/tensor';
import { any, binary, float, lowering, signed, unary, type Lowering } from './lowering.ts';

/** Comparisons, logic and selection. */
export const logic: readonly Lowering[] = [
  binary(core.Equal, any),
  binary(core.Less, signed),
  binary(core.LessOrEqual, signed, 'LessEqual'),
  binary(core.And, ['bool'], 'LogicalAnd'),
  binary(core.Or, ['bool'], 'LogicalOr'),
  unary(core.Not, ['bool'], 'LogicalNot'),
  unary(core.IsNaN, float, 'IsNan'),
  lowering(core.Where, any, (operations, [condition, a, b], { inputs, outputs: [{ shape }] }) => {
    if (inputs[0].size === 1 && operations.engine.kind.onHost) {
      return operations.expand(operations.elements(condition, inputs[0]).data[0] ? a : b, shape);
    }
    const [chosen, t, e] = [condition, a, b].map((x) => operations.expand(x, shape));
    return operations.select(chosen, t, e);
  }),
];
