import type { OnnxNodeCase } from './onnxNodeCase.ts';

/** Why cases are left out: the reason, and the cases it applies to. */
const refusals: readonly (readonly [reason: string, holds: (node: OnnxNodeCase) => boolean])[] = [
  ['shapes are static: there is no operator that asks for one', ({ op }) => op === 'Shape'],
  ['there is no cumulative sum', ({ op }) => op === 'CumSum'],
  ['indices name slices, not single elements', ({ op }) => op === 'GatherElements'],
  [
    'only repeated addition scatters',
    ({ op, attributes }) => op === 'ScatterElements' && attributes['reduction'] !== 'add',
  ],
  [
    'resizing is nearest, by whole factors, upwards',
    ({ op, name }) => op === 'Resize' && !/upsample_scales_nearest/.test(name),
  ],
  ['images have two spatial axes', ({ op, inputs }) => /Conv|Pool/.test(op) && inputs[0]?.shape.length === 5],
  ['padding is constant', ({ op, attributes }) => op === 'Pad' && attributes['mode'] !== 'constant'],
  [
    'an extremum over no elements is refused, and so is one of booleans',
    ({ op, inputs }) =>
      /Reduce(Max|Min)/.test(op) && (inputs[0]?.dtype === 'bool' || (inputs[0]?.shape.includes(0) ?? false)),
  ],
  ['attention has no soft cap', ({ op, attributes }) => op === 'Attention' && attributes['softcap'] !== undefined],
  ['attention does not hand out its scores', ({ op, name }) => op === 'Attention' && /qk_matmul/.test(name)],
  ['keys are masked by a mask, not by counts', ({ op, inputs }) => op === 'Attention' && Boolean(inputs[6])],
  [
    'attention has no window',
    ({ op, attributes }) =>
      op === 'Attention' &&
      (Number(attributes['left_window_size'] ?? -1) >= 0 || Number(attributes['right_window_size'] ?? -1) >= 0),
  ],
];

/** Why a case does not apply; undefined if it does. */
export const refusal = (node: OnnxNodeCase): string | undefined => refusals.find(([, holds]) => holds(node))?.[0];
