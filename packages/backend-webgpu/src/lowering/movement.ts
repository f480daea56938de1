import * as core from '@flow-matching/tensor';
import { add, delinearize, linearize, literal, scale, type IndexExpression } from '../indexing/indexExpression.ts';
import { broadcastIndex, type KernelWriter } from '../compiler/kernelWriter.ts';
import { valueType } from '../wgsl/types.ts';
import { any, lowering, view, type Lowering } from './lowering.ts';

/** The conditions under which an index lies in [from, to), without those that are always true. */
function within(writer: KernelWriter, index: IndexExpression, from: number, to: number): string[] {
  const code = (): string => writer.index(index);
  return [
    ...(index.least < from ? [`${code()} >= ${from}u`] : []),
    ...(index.most >= to ? [`${code()} < ${to}u`] : []),
  ];
}

/** Operators that move elements: index arithmetic, and a selection if there are several sources. */
export const movement: readonly Lowering[] = [
  view(core.Reshape, (index, { inputs: [operand], outputs: [{ shape }] }) =>
    delinearize(linearize(index, shape), operand.shape),
  ),
  view(core.Transpose, (index, { attributes: { perm } }) => {
    const source = new Array<IndexExpression>(perm.length);
    perm.forEach((axis, i) => (source[axis] = index[i]));
    return source;
  }),
  view(core.Expand, (index, { inputs: [operand] }) => broadcastIndex(index, operand.shape)),
  view(core.Slice, (index, { attributes: { starts, steps } }) =>
    index.map((along, axis) => add(scale(along, steps[axis]), literal(starts[axis]))),
  ),
  view(core.Identity, (index) => index),
  view(core.StopGradient, (index) => index),
  // Only graph passes must not cross a barrier; in kernels it does nothing.
  view(core.Barrier, (index) => index),

  lowering(
    core.Concat,
    { kind: 'element', dtypes: any },
    (writer, { inputs, outputs, attributes: { axis } }, index) => {
      const along = index[axis];
      const [{ dtype }] = outputs;
      let start = 0;
      const parts = inputs
        .map((input) => ({ input, start, end: (start += input.shape[axis]) }))
        .filter((part) => part.end > part.start && part.start <= along.most && part.end > along.least);
      const part = (at: number): string => {
        const { input, start: from } = parts[at];
        const moved = add(along, literal(-from));
        const known = moved.least >= 0 && moved.most < input.shape[axis];
        return writer.value(
          input,
          index.map((own, i) => (i === axis ? (known ? moved : writer.assumed(moved, input.shape[axis])) : own)),
        );
      };
      if (parts.length === 1) return part(0);
      const name = writer.name('a');
      const place = writer.index(along);
      writer.line(`var ${name}: ${valueType(dtype)};`);
      parts.forEach(({ end }, at) => {
        const header = at === parts.length - 1 ? 'else' : `${at === 0 ? 'if' : 'else if'} (${place} < ${end}u)`;
        writer.block(header, () => writer.line(`${name} = ${part(at)};`));
      });
      return name;
    },
  ),

  lowering(
    core.Pad,
    { kind: 'element', dtypes: any },
    (writer, { inputs: [x], attributes: { pads, value } }, index) => {
      const conditions = index.flatMap((along, axis) => within(writer, along, pads[axis], pads[axis] + x.shape[axis]));
      const outside = writer.literal(value, x.dtype);
      const source = (): string =>
        writer.value(
          x,
          index.map((along, axis) => {
            const moved = add(along, literal(-pads[axis]));
            const known = moved.least >= 0 && moved.most < x.shape[axis];
            return known ? moved : writer.assumed(moved, x.shape[axis]);
          }),
        );
      if (conditions.length === 0) return source();
      const name = writer.declare(x.dtype, outside);
      writer.block(`if (${conditions.join(' && ')})`, () => writer.line(`${name} = ${source()};`));
      return name;
    },
  ),
];
