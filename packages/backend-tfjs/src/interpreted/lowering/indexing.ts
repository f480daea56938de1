import * as core from '@flow-matching/tensor';
import { sizeOf } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { any, lowering, numeric, type Lowering } from './lowering.ts';

/** Indices as a flat list, with negative ones counted from the start. */
function counted(operations: Operations, indices: TensorInfo, extent: number): TensorInfo {
  const count = sizeOf(indices.shape);
  const list = operations.reshape(indices, [count]);
  const negative = operations.run('Less', { a: list, b: operations.filled(0, [count], 'i32') });
  const shifted = operations.run('Add', { a: list, b: operations.filled(extent, [count], 'i32') });
  return operations.select(negative, shifted, list);
}

export const indexing: readonly Lowering[] = [
  lowering(core.Gather, any, (operations, [data, indices], { outputs, attributes: { axis } }) => {
    const extent = data.shape[axis];
    const x = operations.reshape(data, [sizeOf(data.shape.slice(0, axis)), extent, sizeOf(data.shape.slice(axis + 1))]);
    const picks = counted(operations, indices, extent);
    return operations.reshape(
      operations.run('GatherV2', { x, indices: picks }, { axis: 1, batchDims: 0 }),
      outputs[0].shape,
    );
  }),
  lowering(core.ScatterAdd, numeric, (operations, [data, indices, updates], { attributes: { axis } }) => {
    const count = sizeOf(indices.shape);
    if (sizeOf(updates.shape) === 0) return operations.same(data);
    const [outer, extent, inner] = [
      sizeOf(data.shape.slice(0, axis)),
      data.shape[axis],
      sizeOf(data.shape.slice(axis + 1)),
    ];
    const front = [1, 0, 2];
    const places = operations.reshape(counted(operations, indices, extent), [count, 1]);
    const rows = operations.reshape(operations.transpose(operations.reshape(updates, [outer, count, inner]), front), [
      count,
      outer * inner,
    ]);
    const sums = operations.run('ScatterNd', { indices: places, updates: rows }, { shape: [extent, outer * inner] });
    const back = operations.transpose(operations.reshape(sums, [extent, outer, inner]), front);
    return operations.run('Add', { a: data, b: operations.reshape(back, data.shape) });
  }),
  lowering(core.Range, numeric, (operations, _, { outputs: [{ shape, dtype }], attributes: { start, delta } }) => {
    const values = Array.from({ length: shape[0] }, (__, i) => start + i * delta);
    return operations.upload({ data: core.toStorage(values, dtype), shape, dtype });
  }),
];
