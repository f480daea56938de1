import { sizeOf, type Node, type Tensor } from '@flow-matching/tensor';

/**
 * Rows that are computed alike: first the stages, reductions over the row's elements, in an order in which each may use those before; then
 * outputs of one element a row, or of several. Without stages it is a plain element-by-element kernel.
 */
export interface MapGroup {
  readonly kind: 'map';
  readonly rows: number;
  readonly stages: readonly Node[];
  /** What others need, or what the graph returns; sizes are whole multiples of `rows`. */
  readonly outputs: readonly Tensor[];
}

/** A matrix product or convolution, and what follows from each of its elements. */
export interface ProductGroup {
  readonly kind: 'product';
  readonly node: Node;
  readonly outputs: readonly Tensor[];
}

/** What one kernel computes. */
export type Group = MapGroup | ProductGroup;

/** Everything a group computes that has a place of its own in memory or would have outside the group. */
export const membersOf = (group: Group): Tensor[] => [
  ...(group.kind === 'map' ? group.stages.map(({ outputs: [result] }) => result) : [group.node.outputs[0]]),
  ...group.outputs,
];

/** Elements that one invocation or workgroup computes of an output. */
export const columnsOf = ({ rows }: MapGroup, { shape }: Tensor): number => sizeOf(shape) / rows;
