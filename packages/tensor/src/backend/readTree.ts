import { flattenTree, mapTree, type Tree } from '../graph/tree.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import type { BackendArray } from './backend.ts';

/** Copies of the arrays of a tree on the host. @throws DisposedError if one of them is not live. */
export async function readTree(arrays: Tree<BackendArray>): Promise<Tree<HostArray>> {
  const copies = new Map(
    await Promise.all(
      flattenTree<BackendArray>(arrays).map(
        async ([name, array]) => [name, { data: await array.read(), shape: array.shape, dtype: array.dtype }] as const,
      ),
    ),
  );
  return mapTree<BackendArray, HostArray>(arrays, (_, name) => copies.get(name)!);
}
