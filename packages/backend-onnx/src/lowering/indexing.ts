import * as core from '@flow-matching/tensor';
import { sizeOf } from '@flow-matching/tensor';
import { any, lowering, numeric, type Lowering } from './lowering.ts';

export const indexing: readonly Lowering[] = [
  lowering(core.Gather, any, (write, inputs, { attributes: { axis } }) => write.node('Gather', inputs, { axis })),
  // ScatterElements, because ScatterND runs its updates in parallel, and repeated indices would race.
  lowering(core.ScatterAdd, numeric, (write, [data, indices, updates], { inputs, attributes: { axis } }) => {
    const [{ shape }, index, update] = inputs;
    if (update.size === 0) return data;
    const flat = [...shape.slice(0, axis), sizeOf(index.shape), ...shape.slice(axis + 1)];
    const along = write.node('Reshape', [indices, write.integers(flat.map((extent, i) => (i === axis ? extent : 1)))]);
    return write.node(
      'ScatterElements',
      [
        data,
        write.node('Expand', [along, write.integers(flat)]),
        write.node('Reshape', [updates, write.integers(flat)]),
      ],
      { axis, reduction: 'add' },
    );
  }),
  lowering(core.Range, numeric, (write, _, { outputs: [{ shape, dtype }], attributes: { start, delta } }) =>
    write.constant(
      Array.from({ length: shape[0] }, (_, i) => start + i * delta),
      dtype,
      shape,
    ),
  ),
];
