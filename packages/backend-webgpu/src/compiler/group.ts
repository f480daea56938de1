import { sizeOf, type Node, type Tensor } from '@flow-matching/tensor';

/**
 * Rows that are computed in the same way: first the stages, reductions over the row's elements, each of which may use earlier
 * ones; then outputs with one or several elements per row. Without stages it is a plain elementwise kernel.
 */
export interface MapGroup {
  readonly kind: 'map';
  readonly rows: number;
  readonly stages: readonly Node[];
  /** Tensors that other groups need or the graph returns; sizes are multiples of `rows`. */
  readonly outputs: readonly Tensor[];
}

/** A matrix product or convolution, and the elementwise work on its results. */
export interface ProductGroup {
  readonly kind: 'product';
  readonly node: Node;
  readonly outputs: readonly Tensor[];
}

/** The work of one kernel. */
export type Group = MapGroup | ProductGroup;

/** Everything a group computes that is stored in memory, or would be outside the group. */
export const membersOf = (group: Group): Tensor[] => [
  ...(group.kind === 'map' ? group.stages.map(({ outputs: [result] }) => result) : [group.node.outputs[0]]),
  ...group.outputs,
];

/** Number of elements of an output that one invocation or workgroup computes. */
export const columnsOf = ({ rows }: MapGroup, { shape }: Tensor): number => sizeOf(shape) / rows;
