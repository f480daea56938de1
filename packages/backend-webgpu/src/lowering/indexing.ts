import * as core from '@flow-matching/tensor';
import { sizeOf, type Tensor } from '@flow-matching/tensor';
import { delinearize, variable, type IndexExpression } from '../indexing/indexExpression.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import { valueType } from '../wgsl/types.ts';
import { any, lowering, numeric, type Lowering } from './lowering.ts';

/** An index from a tensor: i32, counting from the end if negative. */
const chosen = (writer: KernelWriter, indices: Tensor, index: readonly IndexExpression[], extent: number): string => {
  const value = writer.value(indices, index);
  return `u32(select(${value}, ${value} + ${extent}, ${value} < 0))`;
};

export const indexing: readonly Lowering[] = [
  lowering(
    core.Gather,
    { kind: 'element', dtypes: any, cost: 2 },
    (writer, { inputs, attributes: { axis } }, index) => {
      const [data, indices] = inputs as [Tensor, Tensor];
      const own = index.slice(axis, axis + indices.rank);
      const picked = writer.variable(chosen(writer, indices, own, data.shape[axis]), data.shape[axis]);
      return writer.value(data, [...index.slice(0, axis), picked, ...index.slice(axis + indices.rank)]);
    },
  ),

  // Every element searches for its updates: floats have no atomic addition, and the order of a sum affects its last digit.
  lowering(
    core.ScatterAdd,
    { kind: 'element', dtypes: numeric, cost: Infinity },
    (writer, { inputs, attributes: { axis } }, index) => {
      const [data, indices, updates] = inputs as [Tensor, Tensor, Tensor];
      const sum = writer.name('a');
      writer.line(`var ${sum}: ${valueType(data.dtype)} = ${writer.value(data, index)};`);
      const count = sizeOf(indices.shape);
      if (count === 0) return sum;
      const name = writer.name('j');
      const place = writer.let('p', writer.index(index[axis]));
      writer.block(`for (var ${name} = 0u; ${name} < ${count}u; ${name}++)`, () => {
        const at = delinearize(variable(name, count), indices.shape);
        writer.block(`if (${chosen(writer, indices, at, data.shape[axis])} == ${place})`, () => {
          const update = writer.value(updates, [...index.slice(0, axis), ...at, ...index.slice(axis + 1)]);
          writer.line(`${sum} += ${update};`);
        });
      });
      return sum;
    },
  ),

  lowering(
    core.Range,
    { kind: 'element', dtypes: numeric },
    (writer, { outputs: [{ dtype }], attributes: { start, delta } }, index) => {
      const along = writer.index(index[0]);
      return writer.let(
        'v',
        `${writer.literal(start, dtype)} + ${valueType(dtype)}(${along}) * ${writer.literal(delta, dtype)}`,
      );
    },
  ),
];
