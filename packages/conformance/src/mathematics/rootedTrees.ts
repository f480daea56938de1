import { concat, onesLike, type Tensor } from '@flow-matching/tensor';
import type { Field } from './solve.ts';

/** A rooted tree, given by the indices of its root's subtrees in a list where they precede it. */
export interface RootedTree {
  readonly order: number;
  readonly children: readonly number[];
}

/** Up to this order all trees are included, 17 of them; above, their number triples with each order. */
const complete = 5;

/** Rooted trees up to an order, subtrees first: all up to order 5, then only the bushy one, the tall one, and the bushy one on a stem. */
export function rootedTrees(order: number): readonly RootedTree[] {
  const trees: RootedTree[] = [{ order: 1, children: [] }];
  for (let n = 2; n <= order; n++) {
    const families = n <= complete ? partitions(trees, n - 1, trees.length - 1) : sparse(trees, n);
    trees.push(...families.map((children) => ({ order: n, children })));
  }
  return trees;
}

/** Multisets of trees with a given total order, as non-increasing indices. */
function partitions(trees: readonly RootedTree[], order: number, from: number): number[][] {
  if (order === 0) return [[]];
  return trees.flatMap((tree, index) =>
    index <= from && tree.order <= order
      ? partitions(trees, order - tree.order, index).map((rest) => [index, ...rest])
      : [],
  );
}

function sparse(trees: readonly RootedTree[], order: number): number[][] {
  const leaves = (count: number): number[] => new Array<number>(count).fill(0);
  const indexOf = (wanted: number, isShape: (tree: RootedTree) => boolean): number =>
    trees.findIndex((tree) => tree.order === wanted && isShape(tree));
  const isTall = (tree: RootedTree): boolean =>
    tree.order === 1 || (tree.children.length === 1 && isTall(trees[tree.children[0]]));
  const isBushy = ({ children }: RootedTree): boolean => children.every((child) => child === 0);
  return [leaves(order - 1), [indexOf(order - 1, isTall)], [indexOf(order - 1, isBushy)]];
}

/**
 * The problem that a Runge–Kutta method solves exactly if it meets the order conditions of the trees, one column each (Butcher;
 * Hairer, Nørsett & Wanner I, theorem II.2.13): y_τ′ = |τ|·Π y_child from 0, so that y_τ = t^|τ|. A last column tests the nodes
 * in the same way, y′ = p·t^(p − 1).
 */
export const treeField =
  (trees: readonly RootedTree[]): Field =>
  (t, y) => {
    const column = (index: number): Tensor => y.slice(1, index, index + 1);
    const time = t.reshape([t.size, 1]);
    const product = (factors: readonly Tensor[]): Tensor =>
      factors.reduce<Tensor>((all, factor) => all.mul(factor), onesLike(time));
    const order = trees.at(-1)!.order;
    return concat(
      [
        ...trees.map((tree) => product(tree.children.map(column)).mul(tree.order)),
        product(new Array<Tensor>(order - 1).fill(time)).mul(order),
      ],
      1,
    );
  };
