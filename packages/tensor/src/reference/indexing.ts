import { DataError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import * as operators from '../operators/indexing.ts';
import { Constant } from '../operators/constant.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { sizeOf, stridesOf, type Shape } from '../tensor/shape.ts';
import { all, eachIndex, kernel, numeric, positionOf, zeroed, type Kernel } from './kernel.ts';

/** Pairs every element of a gathered array with its element of `data`. Indices out of range are undefined behavior; here they throw. */
function eachPick(
  node: Pick<Node, 'callSite'>,
  data: Shape,
  { data: indices, shape }: HostArray,
  axis: number,
  visit: (from: number, to: number) => void,
): void {
  const strides = stridesOf(data);
  const picks = stridesOf(shape);
  const gathered = [...data.slice(0, axis), ...shape, ...data.slice(axis + 1)];
  eachIndex(gathered, (index, to) => {
    const pick = indices[positionOf(index.slice(axis, axis + shape.length), picks)];
    const at = pick < 0 ? pick + data[axis] : pick;
    if (at < 0 || at >= data[axis]) {
      throw new DataError(`The index ${pick} is out of range.`, {
        actual: pick,
        expected: `an integer from ${-data[axis]} to ${data[axis] - 1}`,
        callSite: node.callSite,
      });
    }
    visit(positionOf([...index.slice(0, axis), at, ...index.slice(axis + shape.length)], strides), to);
  });
}

export const indexing: readonly Kernel[] = [
  kernel(operators.Gather, all, (node, [data, indices]) => {
    const [{ shape, dtype }] = node.outputs;
    const result = zeroed(dtype, sizeOf(shape));
    eachPick(node, data.shape, indices, node.attributes.axis, (from, to) => {
      result[to] = data.data[from];
    });
    return result;
  }),

  kernel(operators.ScatterAdd, numeric, (node, [data, indices, updates]) => {
    const result = data.data.slice();
    eachPick(node, data.shape, indices, node.attributes.axis, (from, to) => {
      result[from] += updates.data[to];
    });
    return result;
  }),

  kernel(operators.Range, numeric, ({ attributes: { start, delta }, outputs: [{ shape, dtype }] }) => {
    const result = zeroed(dtype, sizeOf(shape));
    for (let i = 0; i < result.length; i++) result[i] = start + i * delta;
    return result;
  }),

  kernel(Constant, all, ({ attributes: { data } }) => data),
];
