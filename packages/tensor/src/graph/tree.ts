import { GraphError } from '../errors.ts';
import type { TensorType } from '../tensor/shape.ts';

/** Nested records and arrays with a leaf type: parameters, batches, optimizer states. An absent leaf is `undefined`. */
export type Tree<Leaf> = Leaf | undefined | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** Whether a type is a {@link Tree} of some leaf: it then contains lists of itself. */
export type IsTree<T> = [readonly T[]] extends [T] ? true : false;

/** The same nesting with different leaves. */
export type MapTree<T, From, To> =
  IsTree<T> extends true
    ? Tree<To>
    : T extends From
      ? To
      : T extends undefined
        ? undefined
        : T extends readonly unknown[]
          ? { [K in keyof T]: MapTree<T[K], From, To> }
          : { [K in keyof T]: MapTree<Present<T, K>, From, To> };

/** The type of a property that is present. */
type Present<T, K extends keyof T> = Partial<Pick<T, K>> extends Pick<T, K> ? Exclude<T[K], undefined> : T[K];

/** The path of a part of the tree at `path`, whose own path is '': names joined by dots. */
export const joinPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** Throws a GraphError if two leaves have one path, as `{ 'a.b': x, a: { b: y } }`: names could not tell them apart. */
export function checkPaths(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) {
      throw new GraphError(`Two parts of a tree have the path '${path}'.`, {
        actual: path,
        expected: 'distinct paths',
        remedy: 'Rename the part whose name contains a dot.',
      });
    }
    seen.add(path);
  }
}

/** Anything with a shape and a dtype is a leaf: types, symbolic tensors, host and backend arrays. */
export const isLeaf = (value: unknown): value is TensorType =>
  typeof value === 'object' &&
  value !== null &&
  'dtype' in value &&
  typeof value.dtype === 'string' &&
  'shape' in value &&
  Array.isArray(value.shape);

/**
 * Leaves with their paths, in a fixed order: `layers.0.weight`. A tree that is a single leaf gets the name `root`.
 *
 * @throws GraphError for a part that is neither a leaf nor a record or array, or if two leaves have one path.
 */
export function flattenTree<Leaf>(tree: Tree<Leaf>, root = 'value'): [name: string, leaf: Leaf][] {
  const leaves: [string, Leaf][] = [];
  const visit = (value: unknown, path: string): void => {
    if (value === undefined) return;
    if (isLeaf(value)) {
      leaves.push([path || root, value as Leaf]);
      return;
    }
    if (typeof value !== 'object' || value === null) {
      throw new GraphError(`${path || root} is ${value === null ? 'null' : `a ${typeof value}`}.`, {
        actual: value,
        expected: 'a tensor, or records and arrays of tensors',
      });
    }
    for (const [name, part] of Object.entries(value)) visit(part, joinPath(path, name));
  };
  visit(tree, '');
  checkPaths(leaves.map(([path]) => path));
  return leaves;
}

/** The types of a tree's leaves. */
export const typesOf = <T extends Tree<TensorType>>(tree: T): MapTree<T, TensorType, TensorType> =>
  mapTree<TensorType, TensorType>(tree, ({ shape, dtype }) => ({ shape, dtype })) as MapTree<T, TensorType, TensorType>;

/**
 * Applies a formula to each leaf of a tree, together with the parts of other trees at its place: leaves, or whatever they have
 * there (`jax.tree.map`).
 */
export function mapTrees<Leaf, To>(
  formula: (leaf: Leaf, ...parts: Tree<Leaf>[]) => To,
  tree: Tree<Leaf>,
  ...others: readonly Tree<Leaf>[]
): Tree<To> {
  const visit = (value: unknown, parts: readonly unknown[]): unknown => {
    if (value === undefined) return undefined;
    if (isLeaf(value)) return formula(value as Leaf, ...(parts as Tree<Leaf>[]));
    const at = (name: string | number): unknown[] =>
      parts.map((part) => (part as Readonly<Record<string | number, unknown>> | undefined)?.[name]);
    if (Array.isArray(value)) return value.map((part, i) => visit(part, at(i)));
    return Object.fromEntries(Object.entries(value as object).map(([name, part]) => [name, visit(part, at(name))]));
  };
  return visit(tree, others) as Tree<To>;
}

/** The same nesting with every leaf replaced by `replace(leaf, path)`. */
export function mapTree<Leaf, To>(
  tree: Tree<Leaf>,
  replace: (leaf: Leaf, path: string) => To,
  root = 'value',
): Tree<To> {
  const visit = (value: unknown, path: string): unknown => {
    if (value === undefined) return undefined;
    if (isLeaf(value)) return replace(value as Leaf, path || root);
    if (Array.isArray(value)) return value.map((part, i) => visit(part, joinPath(path, `${i}`)));
    if (typeof value !== 'object' || value === null) {
      throw new GraphError(`${path || root} is ${value === null ? 'null' : `a ${typeof value}`}.`, {
        actual: value,
        expected: 'a tensor, or records and arrays of tensors',
      });
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part, joinPath(path, name))]));
  };
  return visit(tree, '') as Tree<To>;
}
