import * as core from '@flow-matching/tensor';
import { sizeOf, type DType, type Node, type Operator, type ReduceAttributes } from '@flow-matching/tensor';
import { NotComputable, type KernelWriter } from '../compiler/kernelWriter.ts';
import { delinearize, type IndexExpression } from '../indexing/indexExpression.ts';
import { numeric, type Lowering } from './lowering.ts';

/** How elements are reduced to one. */
export interface Reducer {
  /** What a reduction starts from. */
  readonly initial: (writer: KernelWriter, dtype: DType) => string;
  readonly combine: (a: string, b: string) => string;
  /** The WGSL function for the same reduction over a subgroup. */
  readonly subgroup: string;
}

const least: Readonly<Partial<Record<DType, number>>> = { f16: -Infinity, f32: -Infinity, i32: -(2 ** 31), u32: 0 };
const most: Readonly<Partial<Record<DType, number>>> = {
  f16: Infinity,
  f32: Infinity,
  i32: 2 ** 31 - 1,
  u32: 2 ** 32 - 1,
};

export const reducers: Readonly<Record<string, Reducer>> = {
  ReduceSum: {
    initial: (writer, dtype) => writer.literal(0, dtype),
    combine: (a, b) => `${a} + ${b}`,
    subgroup: 'subgroupAdd',
  },
  ReduceMax: {
    initial: (writer, dtype) => writer.literal(least[dtype]!, dtype),
    combine: (a, b) => `max(${a}, ${b})`,
    subgroup: 'subgroupMax',
  },
  ReduceMin: {
    initial: (writer, dtype) => writer.literal(most[dtype]!, dtype),
    combine: (a, b) => `min(${a}, ${b})`,
    subgroup: 'subgroupMin',
  },
};

/** The axes that a reduction goes over, and their extents. */
export function reducedAxes({ inputs: [x], attributes }: Node): {
  axes: readonly number[];
  extents: readonly number[];
} {
  const { axes } = attributes as unknown as ReduceAttributes;
  const ascending = axes.toSorted((a, b) => a - b);
  return { axes: ascending, extents: ascending.map((axis) => x.shape[axis]) };
}

/** The number of elements reduced to one. */
export const reducedCount = (node: Node): number => sizeOf(reducedAxes(node).extents);

/** The operand's index of element `position` among those reduced to the result's element at `row`. */
export function reducedIndex(node: Node, row: IndexExpression, position: IndexExpression): IndexExpression[] {
  const { shape } = node.inputs[0];
  const { axes, extents } = reducedAxes(node);
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const outer = delinearize(
    row,
    kept.map((axis) => shape[axis]),
  );
  const inner = delinearize(position, extents);
  const index = new Array<IndexExpression>(shape.length);
  kept.forEach((axis, i) => (index[axis] = outer[i]));
  axes.forEach((axis, i) => (index[axis] = inner[i]));
  return index;
}

const reduction = (operator: Operator<ReduceAttributes>): Lowering => ({
  name: operator.name,
  dtypes: numeric,
  kind: 'reduction',
  cost: 1,
  write: () => {
    throw new NotComputable('A reduction is written by the kernel that it is a stage of.');
  },
});

export const reductions: readonly Lowering[] = [
  reduction(core.ReduceSum),
  reduction(core.ReduceMax),
  reduction(core.ReduceMin),
];
