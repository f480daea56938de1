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
 * Arrays given by the paths of their leaves, with the nesting of `expected`. Leaves that are not given are absent.
 *
 * @param what describes one array, for messages: `saved parameter`
 * @throws GraphError for an unknown name.
 */
export function nestedAs(
  expected: Tree<HostArray>,
  named: Readonly<Record<string, HostArray>>,
  what: string,
): Tree<HostArray> {
  const known = new Set(flattenTree<HostArray>(expected).map(([name]) => name));
  const mismatch = Object.keys(named).find((name) => !known.has(name));
  if (mismatch !== undefined)
    throw new GraphError(`The ${what} '${mismatch}' belongs to another model or optimizer.`, { actual: mismatch });
  return mapTree<HostArray, HostArray | undefined>(expected, (_, name) =>
    Object.hasOwn(named, name) ? named[name] : undefined,
  );
}

/**
 * As {@link nestedAs}, with all arrays given and of the expected types.
 *
 * @throws GraphError for a missing or unknown name, or an array of another type.
 */
export function restoreTree(
  expected: Tree<HostArray>,
  named: Readonly<Record<string, HostArray>>,
  what: string,
): Tree<HostArray> {
  const restored = nestedAs(expected, named, what);
  for (const [name, type] of flattenTree<HostArray>(expected)) {
    if (!Object.hasOwn(named, name))
      throw new GraphError(`The ${what} '${name}' is missing.`, { actual: Object.keys(named), expected: name });
    const array = named[name];
    if (!sameShape(array.shape, type.shape) || array.dtype !== type.dtype) {
      throw new GraphError(`The ${what} '${name}' is ${formatType(array)}.`, {
        actual: array.shape,
        expected: formatType(type),
      });
    }
  }
  return restored;
}
