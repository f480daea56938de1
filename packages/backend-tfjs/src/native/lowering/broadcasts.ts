import type { Shape, TensorType } from '@flow-matching/tensor';
import { dataType, indexType, type GraphWriter, type Value } from '../graphWriter.ts';
import type { Lowering } from './lowering.ts';

/** Runs of axes that TensorFlow's kernels broadcast; it joins neighbouring axes that broadcast alike. */
const mostRuns = 4;

/** How often operands change, along a shape's axes, between being repeated and not. */
function broadcastRuns(shapes: readonly Shape[], whole: Shape): number {
  const kindOf = (axis: number): string =>
    shapes.map((shape) => Number((shape[axis - whole.length + shape.length] ?? 1) === whole[axis])).join('');
  const kinds = whole.map((_, axis) => kindOf(axis)).filter((_, axis) => whole[axis] !== 1);
  return kinds.filter((kind, i) => i === 0 || kind !== kinds[i - 1]).length;
}

/** `x` of shape `from` repeated to `shape`. */
export function broadcastTo(write: GraphWriter, x: Value, from: Shape, { shape, dtype }: TensorType): Value {
  if (broadcastRuns([from], shape) <= mostRuns)
    return write.typed('BroadcastTo', dataType[dtype], [x, write.integers(shape)], { Tidx: indexType });
  const ranked = [...shape.slice(from.length).map(() => 1), ...from];
  const repeats = shape.map((extent, axis) => extent / ranked[axis]);
  const reshaped = write.typed('Reshape', dataType[dtype], [x, write.integers(ranked)], { Tshape: indexType });
  return write.typed('Tile', dataType[dtype], [reshaped, write.integers(repeats)], { Tmultiples: indexType });
}

/** An operator that works element by element: operands whose broadcast TensorFlow does not have are repeated before. */
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
