import * as core from '@flow-matching/tensor';
import { dataType, indexType } from '../graphWriter.ts';
import { broadcastTo } from './broadcasts.ts';
import { any, lowering, same, type Lowering } from './lowering.ts';

/** Operators that move elements. */
export const movement: readonly Lowering[] = [
  lowering(core.Reshape, any, (write, [x], { outputs: [{ dtype, shape }] }) =>
    write.typed('Reshape', dataType[dtype], [x, write.integers(shape)], { Tshape: indexType }),
  ),
  lowering(core.Transpose, any, (write, [x], { outputs: [{ dtype }], attributes: { perm } }) =>
    write.typed('Transpose', dataType[dtype], [x, write.integers(perm)], { Tperm: indexType }),
  ),
  lowering(core.Expand, any, (write, [x], { inputs: [{ shape }], outputs: [result] }) =>
    broadcastTo(write, x, shape, result),
  ),
  lowering(core.Concat, any, (write, inputs, { outputs: [{ dtype }], attributes: { axis } }) =>
    inputs.length === 1
      ? inputs[0]
      : write.typed('ConcatV2', dataType[dtype], [...inputs, write.scalar(axis, 'i32')], {
          N: { int: inputs.length },
          Tidx: indexType,
        }),
  ),
  lowering(core.Slice, any, (write, [x], { inputs: [{ shape }], outputs: [{ dtype }], attributes }) => {
    const { starts, ends, steps } = attributes;
    // An end before the first element has no index, only a mask bit that means: to the last element in this direction.
    const open = ends.reduce((mask, end, axis) => (end < 0 || end > shape[axis] ? mask | (1 << axis) : mask), 0);
    const bounds = [starts, ends.map((end) => Math.max(end, 0)), steps].map((values) => write.integers(values));
    return write.typed('StridedSlice', dataType[dtype], [x, ...bounds], {
      Index: indexType,
      end_mask: { int: open },
    });
  }),
  lowering(core.Pad, any, (write, [x], { inputs: [{ shape, dtype }], attributes: { pads, value } }) => {
    const { length } = shape;
    const table = write.table(shape.map((_, axis) => [pads[axis], pads[axis + length]]));
    return write.typed('PadV2', dataType[dtype], [x, table, write.scalar(value, dtype)], { Tpaddings: indexType });
  }),
  same(core.Identity, any),
  same(core.StopGradient, any, 'Identity'),
  same(core.Barrier, any, 'Identity'),
];
