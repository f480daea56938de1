import {
  GraphError,
  flattenTree,
  formatType,
  mapTree,
  sameShape,
  type HostArray,
  type Tree,
} from '@flow-matching/tensor';

/**
 * A tree of saved arrays, from their names. It has the nesting of `expected`.
 *
 * @param what describes one array, for messages: `parameter`
 * @throws GraphError if there is no array of a name, or one of an unknown name, or of another type.
 */
export function restoreTree(
  expected: Tree<HostArray>,
  saved: Readonly<Record<string, HostArray>>,
  what: string,
): Tree<HostArray> {
  const known = new Set(flattenTree<HostArray>(expected).map(([name]) => name));
  const mismatch = Object.keys(saved).find((name) => !known.has(name));
  if (mismatch !== undefined)
    throw new GraphError(`The saved ${what} '${mismatch}' belongs to another model or optimizer.`, {
      actual: mismatch,
    });
  return mapTree<HostArray, HostArray>(expected, (type, name) => {
    if (!Object.hasOwn(saved, name))
      throw new GraphError(`The saved state has no ${what} '${name}'.`, {
        actual: Object.keys(saved),
        expected: name,
      });
    const array = saved[name];
    if (!sameShape(array.shape, type.shape) || array.dtype !== type.dtype) {
      throw new GraphError(`The saved ${what} '${name}' is ${formatType(array)}.`, {
        actual: array.shape,
        expected: formatType(type),
      });
    }
    return array;
  });
}
