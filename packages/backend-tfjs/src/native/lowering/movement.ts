import * as core from '@flow-matching/core';
import { DataType } from '../../generated/saved_model_pb.ts';
import { dataType } from '../graphWriter.ts';
import { any, lowering, same, type Lowering } from './lowering.ts';

const index = { type: DataType.DT_INT32 };

/** Operators that move elements about. */
export const movement: readonly Lowering[] = [
  lowering(core.Reshape, any, (write, [x], { outputs: [{ dtype, shape }] }) =>
    write.typed('Reshape', dataType[dtype], [x, write.integers(shape)], { Tshape: index }),
  ),
  lowering(core.Transpose, any, (write, [x], { outputs: [{ dtype }], attributes: { perm } }) =>
    write.typed('Transpose', dataType[dtype], [x, write.integers(perm)], { Tperm: index }),
  ),
  lowering(core.Expand, any, (write, [x], { outputs: [{ dtype, shape }] }) =>
    write.typed('BroadcastTo', dataType[dtype], [x, write.integers(shape)], { Tidx: index }),
  ),
  lowering(core.Concat, any, (write, inputs, { outputs: [{ dtype }], attributes: { axis } }) =>
    inputs.length === 1
      ? inputs[0]
      : write.typed('ConcatV2', dataType[dtype], [...inputs, write.scalar(axis, 'i32')], {
          N: { int: inputs.length },
          Tidx: index,
        }),
  ),
  lowering(core.Slice, any, (write, [x], { inputs: [{ shape }], outputs: [{ dtype }], attributes }) => {
    const { starts, ends, steps } = attributes;
    // An end before the first element has no number of its own, only a bit that says: as far as there are elements.
    const open = ends.reduce((mask, end, axis) => (end < 0 || end > shape[axis] ? mask | (1 << axis) : mask), 0);
    const bounds = [starts, ends.map((end) => Math.max(end, 0)), steps].map((values) => write.integers(values));
    return write.typed('StridedSlice', dataType[dtype], [x, ...bounds], {
      Index: index,
      begin_mask: { int: 0 },
      end_mask: { int: open },
      ellipsis_mask: { int: 0 },
      new_axis_mask: { int: 0 },
      shrink_axis_mask: { int: 0 },
    });
  }),
  lowering(core.Pad, any, (write, [x], { inputs: [{ shape, dtype }], attributes: { pads, value } }) => {
    const { length } = shape;
    const margins = shape.flatMap((_, axis) => [pads[axis], pads[axis + length]]);
    const type = dataType[dtype];
    const table = write.typed('Reshape', DataType.DT_INT32, [write.integers(margins), write.integers([length, 2])], {
      Tshape: index,
    });
    return write.typed('PadV2', type, [x, table, write.scalar(value, dtype)], { Tpaddings: index });
  }),
  same(core.Identity, any),
  same(core.StopGradient, any, 'Identity'),
  same(core.Barrier, any, 'Identity'),
];
