import type { Shape, TensorType } from '@flow-matching/tensor';
import { dataType, indexType, type GraphWriter, type Value } from '../graphWriter.ts';
import type { Lowering } from './lowering.ts';

/** The largest number of runs of axes that TensorFlow's kernels broadcast; adjacent axes that broadcast in the same way form a run. */
const mostRuns = 4;

/** The number of runs of axes along which the same operands are broadcast. */
function broadcastRuns(shapes: readonly Shape[], whole: Shape): number {
  const kindOf = (axis: number): string =>
    shapes.map((shape) => Number((shape[axis - whole.length + shape.length] ?? 1) === whole[axis])).join('');
  const kinds = whole.map((_, axis) => kindOf(axis)).filter((_, axis) => whole[axis] !== 1);
  return kinds.filter((kind, i) => i === 0 || kind !== kinds[i - 1]).length;
}

/** `x` of shape `from` broadcast to `shape`. */
export function broadcastTo(write: GraphWriter, x: Value, from: Shape, { shape, dtype }: TensorType): Value {
  if (broadcastRuns([from], shape) <= mostRuns)
    return write.typed('BroadcastTo', dataType[dtype], [x, write.integers(shape)], { Tidx: indexType });
  const ranked = [...shape.slice(from.length).map(() => 1), ...from];
  const repeats = shape.map((extent, axis) => extent / ranked[axis]);
  const reshaped = write.typed('Reshape', dataType[dtype], [x, write.integers(ranked)], { Tshape: indexType });
  return write.typed('Tile', dataType[dtype], [reshaped, write.integers(repeats)], { Tmultiples: indexType });
}

/** An elementwise operator: operands whose broadcast TensorFlow does not support are expanded first. */
export const broadcasting = (lowering: Lowering): Lowering => ({
  ...lowering,
  lower(write, values, node) {
    const [{ shape }] = node.outputs;
    const { inputs } = node;
    const runs = broadcastRuns(
      inputs.map((tensor) => tensor.shape),
      shape,
    );
    if (runs <= mostRuns) return lowering.lower(write, values, node);
    const repeated = values.map((value, i) =>
      broadcastTo(write, value, inputs[i].shape, { shape, dtype: inputs[i].dtype }),
    );
    return lowering.lower(write, repeated, node);
  },
});
