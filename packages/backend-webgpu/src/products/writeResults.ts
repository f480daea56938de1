import type { ProductGroup } from '../compiler/group.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import type { StoreElement } from '../compiler/mapKernel.ts';
import { variable, type IndexExpression } from '../indexing/indexExpression.ts';
import { valueType } from '../wgsl/types.ts';
import type { Product } from './product.ts';

/** The rows or columns of a product's result that an invocation computes. */
export interface Share {
  readonly count: number;
  /** The row or column of a counter below `count`; it may lie beyond the edge. */
  readonly at: (counter: IndexExpression) => IndexExpression;
}

/** Stores the sums of an invocation, `c{row}_{column ÷ 4}`, or the results of elementwise work on them. */
export function writeResults(
  writer: KernelWriter,
  group: ProductGroup,
  product: Product,
  batch: IndexExpression,
  rows: Share,
  columns: Share,
  store: StoreElement,
): void {
  const [result] = group.node.outputs;
  const fours = columns.count / 4;
  const sums = Array.from({ length: rows.count * fours }, (_, i) => `c${Math.floor(i / fours)}_${i % fours}`);
  writer.line(`var tile = array<vec4<${valueType(result.dtype)}>, ${sums.length}>(${sums.join(', ')});`);
  inside(writer, 'm', rows, product.rows, (row) => {
    inside(writer, 'n', columns, product.columns, (column) => {
      const position = product.position(batch, row, column);
      for (const tensor of [result, ...group.outputs]) writer.own(tensor, position);
      writer.define(result, position, writer.let('v', `tile[m * ${fours}u + (n >> 2u)][n & 3u]`));
      const values = group.outputs.map((output) => writer.valueAt(output, position));
      const place = writer.index(position);
      group.outputs.forEach((output, i) => writer.line(store(output, place, values[i])));
    });
  });
}

/** Statements for every index of a share that lies inside the result. */
function inside(
  writer: KernelWriter,
  counter: string,
  { count, at }: Share,
  extent: number,
  body: (index: IndexExpression) => void,
): void {
  writer.block(`for (var ${counter} = 0u; ${counter} < ${count}u; ${counter}++)`, () => {
    const index = at(variable(counter, count));
    if (index.most < extent) return body(index);
    const number = writer.let('p', writer.index(index));
    writer.block(`if (${number} < ${extent}u)`, () => body(writer.variable(number, extent)));
  });
}
