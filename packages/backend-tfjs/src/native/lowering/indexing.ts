import * as core from '@flow-matching/tensor';
import { sizeOf } from '@flow-matching/tensor';
import { DataType } from '../../generated/saved_model_pb.ts';
import { dataType, indexType, type GraphWriter, type Value } from '../graphWriter.ts';
import { any, lowering, numeric, type Lowering } from './lowering.ts';

/** Negative indices count from the end. */
function wrapped(write: GraphWriter, indices: Value, extent: number): Value {
  const { DT_INT32 } = DataType;
  const negative = write.typed('Less', DT_INT32, [indices, write.scalar(0, 'i32')]);
  const shifted = write.typed('AddV2', DT_INT32, [indices, write.scalar(extent, 'i32')]);
  return write.typed('SelectV2', DT_INT32, [negative, shifted, indices]);
}

export const indexing: readonly Lowering[] = [
  lowering(core.Gather, any, (write, [data, indices], { inputs: [{ shape, dtype }], attributes: { axis } }) =>
    write.node('GatherV2', [data, wrapped(write, indices, shape[axis]), write.scalar(axis, 'i32')], {
      Tparams: { type: dataType[dtype] },
      Tindices: indexType,
      Taxis: indexType,
      batch_dims: { int: 0 },
    }),
  ),
  lowering(core.ScatterAdd, numeric, (write, [data, indices, updates], { inputs, attributes: { axis } }) => {
    const [{ shape, dtype, rank }, { shape: indexShape }] = inputs;
    const type = dataType[dtype];
    const count = sizeOf(indexShape);
    const axes = Array.from({ length: rank }, (_, i) => i);
    const front = [axis, ...axes.filter((each) => each !== axis)];
    const back = axes.map((each) => front.indexOf(each));
    const reshaped = (value: Value, to: readonly number[], of = type): Value =>
      write.typed('Reshape', of, [value, write.integers(to)], { Tshape: indexType });
    const permuted = (value: Value, perm: readonly number[]): Value =>
      axis === 0 ? value : write.typed('Transpose', type, [value, write.integers(perm)], { Tperm: indexType });
    const flat = [...shape.slice(0, axis), count, ...shape.slice(axis + 1)];
    const rows = reshaped(wrapped(write, indices, shape[axis]), [count, 1], DataType.DT_INT32);
    const sum = write.node(
      'TensorScatterAdd',
      [permuted(data, front), rows, permuted(reshaped(updates, flat), front)],
      { T: { type }, Tindices: indexType },
    );
    return permuted(sum, back);
  }),
  lowering(core.Range, numeric, (write, _, { outputs: [{ shape, dtype }], attributes: { start, delta } }) =>
    write.constant(
      Array.from({ length: shape[0] }, (_, i) => start + i * delta),
      dtype,
      shape,
    ),
  ),
];
