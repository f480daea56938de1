import * as core from '@flow-matching/tensor';
import { elementType } from '../model/elementType.ts';
import { filled } from './filled.ts';
import { any, lowering, same, type Lowering } from './lowering.ts';

/** Operators that move elements. */
export const movement: readonly Lowering[] = [
  lowering(core.Reshape, any, (write, [x], { attributes: { shape } }) =>
    write.node('Reshape', [x, write.integers(shape)]),
  ),
  lowering(core.Transpose, any, (write, [x], { attributes: { perm } }) =>
    perm.length < 2 ? x : write.node('Transpose', [x], { perm }),
  ),
  lowering(core.Expand, any, (write, [x], { attributes: { shape } }) =>
    write.node('Expand', [x, write.integers(shape)]),
  ),
  lowering(core.Cast, any, (write, [x], { attributes: { to } }) => write.node('Cast', [x], { to: elementType[to] })),
  lowering(core.Concat, any, (write, inputs, { inputs: tensors, attributes: { axis } }) => {
    const filledOnes = inputs.filter((_, i) => tensors[i].size > 0);
    return filledOnes.length === 1 ? filledOnes[0] : write.node('Concat', filledOnes, { axis });
  }),
  lowering(core.Slice, any, (write, [x], { inputs: [tensor], attributes: { starts, ends, steps } }) => {
    const cut = tensor.shape.flatMap((extent, axis) =>
      starts[axis] === 0 && ends[axis] === extent && steps[axis] === 1 ? [] : [axis],
    );
    if (cut.length === 0) return x;
    const along = (values: readonly number[]): string => write.integers(cut.map((axis) => values[axis]));
    // In ONNX an end of −1 is the last element; a more negative one is needed to go before the first.
    const bounds = ends.map((end, axis) => (end < 0 ? end - tensor.shape[axis] : end));
    return write.node('Slice', [x, along(starts), along(bounds), write.integers(cut), along(steps)]);
  }),
  lowering(core.Pad, any, (write, [x], { inputs: [tensor], outputs: [padded], attributes: { pads, value } }) => {
    if (tensor.size === 0) return filled(write, value, padded);
    return write.node('Pad', [x, write.integers(pads), write.scalar(value, tensor.dtype)]);
  }),
  same(core.Identity, any),
  lowering(core.StopGradient, any, (write, [x]) => write.node('Identity', [x])),
  // ONNX Runtime removes an Identity and then merges across the barrier. A Reshape to the same shape is kept, and copies
  // nothing; barriers on one value use different intermediate shapes.
  lowering(core.Barrier, any, (write, [x], { outputs: [{ shape }] }) => {
    const detour = new Array<number>(write.ordinal(`barrier ${x}`)).fill(1);
    const through = write.node('Reshape', [x, write.integers([...shape, ...detour])]);
    return detour.length === 0 ? through : write.node('Reshape', [through, write.integers(shape)]);
  }),
];
