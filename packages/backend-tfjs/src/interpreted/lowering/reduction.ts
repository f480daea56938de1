import * as core from '@flow-matching/tensor';
import { sizeOf, type ReduceAttributes } from '@flow-matching/tensor';
import { greatest } from './guarded.ts';
import { float, lowering, numeric, signed, type Lower, type Lowering } from './lowering.ts';

const extremum =
  (kernel: string): Lower<ReduceAttributes> =>
  (operations, [x], { attributes: { axes, keepdims } }) =>
    operations.run(kernel, { x }, { reductionIndices: [...axes], axis: [...axes], keepDims: keepdims });

const greatestOf: Lower<ReduceAttributes> = (operations, [x], node) =>
  'ReduceMax' in operations.engine.kind.decomposed
    ? greatest(operations, x, node.attributes)
    : extremum('Max')(operations, [x], node);

export const reductions: readonly Lowering[] = [
  lowering(core.ReduceSum, numeric, (operations, [x], { inputs, outputs, attributes: { axes, keepdims } }) => {
    const [{ shape, dtype, rank }] = inputs;
    const leading = axes.every((axis, i) => axis === i) && axes.length < rank;
    if (leading && float.includes(dtype) && 'ReduceSum' in operations.engine.kind.decomposed) {
      const rows = sizeOf(shape.slice(0, axes.length));
      const table = operations.reshape(x, [1, rows, sizeOf(shape) / rows]);
      return operations.reshape(operations.product(operations.filled(1, [1, 1, rows], dtype), table), outputs[0].shape);
    }
    return operations.run('Sum', { x }, { axis: [...axes], keepDims: keepdims });
  }),
  lowering(core.ReduceMax, signed, greatestOf),
  lowering(core.ReduceMin, signed, (operations, [x], node) => {
    if (!('ReduceMin' in operations.engine.kind.decomposed)) return extremum('Min')(operations, [x], node);
    const most = greatestOf(operations, [operations.run('Neg', { x })], node);
    return operations.run('Neg', { x: most });
  }),
];
