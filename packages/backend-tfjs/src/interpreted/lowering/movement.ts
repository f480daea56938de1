import * as core from '@flow-matching/tensor';
import { sizeOf } from '@flow-matching/tensor';
import { byDefinition } from './byDefinition.ts';
import { any, lowering, unary, type Lowering } from './lowering.ts';

/** Operators that move elements. */
export const movement: readonly Lowering[] = [
  lowering(core.Reshape, any, (operations, [x], { attributes: { shape } }) => operations.reshape(x, shape)),
  lowering(core.Transpose, any, (operations, [x], { attributes: { perm } }) => operations.transpose(x, perm)),
  lowering(core.Expand, any, (operations, [x], { attributes: { shape } }) => operations.expand(x, shape)),
  // As rows that are concatenated.
  lowering(core.Concat, any, (operations, inputs, { outputs: [{ shape }], attributes: { axis } }) => {
    const rows = sizeOf(shape.slice(0, axis));
    const parts = inputs
      .filter((x) => sizeOf(x.shape) > 0)
      .map((x) => operations.reshape(x, [rows, sizeOf(x.shape) / rows]));
    return operations.reshape(operations.concat(parts, 1), shape);
  }),
  lowering(core.Slice, any, (operations, [x], { outputs: [{ shape }], attributes: { starts, ends, steps } }) =>
    steps.every((step) => step === 1)
      ? operations.slice(x, starts, shape)
      : operations.stridedSlice(x, starts, ends, steps),
  ),
  lowering(core.Pad, any, (operations, [x], node) => {
    const { pads } = node.attributes;
    // u32 values are stored as the int32 with the same bits.
    const value = node.outputs[0].dtype === 'u32' ? node.attributes.value | 0 : node.attributes.value;
    // Kernels skip NaN, and convert integers through f32.
    const isLost = Number.isNaN(value) || (!core.isFloat(node.outputs[0].dtype) && Math.fround(value) !== value);
    if (isLost && operations.engine.kind.onHost) return byDefinition(operations, [x], node);
    const pairs = x.shape.map((_, axis) => [pads[axis], pads[axis + x.shape.length]] as const);
    return operations.pad(x, pairs, value);
  }),
  unary(core.Identity, any, 'Identity'),
  unary(core.StopGradient, any, 'Identity'),
  unary(core.Barrier, any, 'Identity'),
];
