import { GraphError } from '../errors.ts';
import { checkPaths, isLeaf, joinPath, type Tree } from '../graph/tree.ts';

/** A leaf of a tree and the port that stands for it. */
interface Port {
  readonly path: string;
  readonly name: string;
  /** Whether an array is bound to it, so that none may be given. */
  readonly bound: boolean;
}

interface Branch {
  readonly path: string;
  readonly isList: boolean;
  readonly parts: ReadonlyMap<string, Part>;
}

/** Absent leaves are `undefined`. */
type Part = Port | Branch | undefined;

/**
 * The leaves of a tree as the ports of a graph. Names are made once; afterwards, turning a tree of the same nesting into values
 * by port, and back, is one pass over its leaves.
 */
export class TreePorts {
  /** Names of the leaves, in order: their paths, or `root` for a tree that is a single leaf. */
  readonly names: readonly string[];
  readonly #root: Part;
  /** Names of the leaves that are not bound. */
  readonly #free: readonly string[];

  private constructor(root: Part) {
    const ports = portsOf(root);
    this.#root = root;
    this.names = ports.map(({ name }) => name);
    checkPaths(this.names);
    this.#free = ports.flatMap(({ name, bound }) => (bound ? [] : [name]));
  }

  /** @throws GraphError for a part that is neither a leaf nor a record or array, or if two leaves have one path. */
  static of(tree: unknown, root: string): TreePorts {
    return new TreePorts(partOf(tree, '', root));
  }

  /** The same ports, of which some are bound. */
  bound(names: readonly string[]): TreePorts {
    return new TreePorts(withBound(this.#root, new Set(names)));
  }

  /** Names of the leaves at a path and below it; undefined if the tree has no such path. */
  below(path: string): readonly string[] | undefined {
    const names = this.names.filter((name) => name === path || name.startsWith(`${path}.`));
    return names.length > 0 || has(this.#root, path) ? names : undefined;
  }

  /**
   * The leaves of a tree by port.
   *
   * @param partial whether leaves may be missing
   * @throws GraphError for a missing or unknown leaf, a leaf that is bound already, or another nesting.
   */
  fill<Leaf>(tree: Tree<Leaf>, { partial = false }: { readonly partial?: boolean } = {}): Record<string, Leaf> {
    const values: Record<string, Leaf> = {};
    const filled = fill(this.#root, tree, values);
    if (filled < this.#free.length && !partial) {
      const name = this.#free.find((each) => !Object.hasOwn(values, each))!;
      throw new GraphError(`The input '${name}' is missing.`, {
        actual: Object.keys(values),
        expected: `inputs ${this.#free.join(', ')}`,
      });
    }
    return values;
  }

  /** A tree with the values of the ports. */
  build<Value>(values: Readonly<Record<string, Value>>): Tree<Value> {
    return build(this.#root, values) as Tree<Value>;
  }
}

function partOf(value: unknown, path: string, root: string): Part {
  if (value === undefined) return undefined;
  if (isLeaf(value)) return { path, name: path || root, bound: false };
  if (typeof value !== 'object' || value === null) {
    throw new GraphError(`${path || root} is ${kindOf(value)}.`, {
      actual: value,
      expected: 'a tensor, or records and arrays of tensors',
    });
  }
  const parts = Object.entries(value).map(([key, part]) => [key, partOf(part, joinPath(path, key), root)] as const);
  return { path, isList: Array.isArray(value), parts: new Map(parts) };
}

const isPort = (part: Port | Branch): part is Port => 'name' in part;

function portsOf(part: Part): Port[] {
  if (part === undefined) return [];
  return isPort(part) ? [part] : [...part.parts.values()].flatMap(portsOf);
}

function withBound(part: Part, names: ReadonlySet<string>): Part {
  if (part === undefined) return undefined;
  if (isPort(part)) return names.has(part.name) ? { ...part, bound: true } : part;
  return { ...part, parts: new Map([...part.parts].map(([key, each]) => [key, withBound(each, names)])) };
}

function has(part: Part, path: string): boolean {
  if (part === undefined) return false;
  return part.path === path || (!isPort(part) && [...part.parts.values()].some((each) => has(each, path)));
}

/** Returns the number of leaves. */
function fill(part: Part, value: unknown, values: Record<string, unknown>): number {
  if (part === undefined || value === undefined) return 0;
  if (isPort(part)) {
    if (part.bound) {
      throw new GraphError(`The input '${part.name}' is bound already.`, {
        actual: part.name,
        expected: 'inputs that are not bound',
      });
    }
    if (!isLeaf(value)) throw mismatch(part, value);
    values[part.name] = value;
    return 1;
  }
  if (typeof value !== 'object' || value === null || isLeaf(value) || Array.isArray(value) !== part.isList)
    throw mismatch(part, value);
  let filled = 0;
  for (const key of Object.keys(value)) {
    const given = (value as Readonly<Record<string, unknown>>)[key];
    const known = part.parts.get(key);
    if (!known && given !== undefined) throw unknownInput(part, key);
    filled += fill(known, given, values);
  }
  return filled;
}

function unknownInput({ path, parts }: Branch, key: string): GraphError {
  const name = joinPath(path, key);
  return new GraphError(`There is no input '${name}'.`, {
    actual: name,
    expected: parts.size > 0 ? `only ${[...parts.keys()].map((each) => joinPath(path, each)).join(', ')}` : 'nothing',
  });
}

function mismatch(part: Port | Branch, value: unknown): GraphError {
  const expected = isPort(part)
    ? 'an array of numbers'
    : `a ${part.isList ? 'list' : 'record'} of ${part.parts.size > 0 ? [...part.parts.keys()].join(', ') : 'nothing'}`;
  return new GraphError(`The input${part.path && ` '${part.path}'`} is ${kindOf(value)}.`, { actual: value, expected });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (isLeaf(value)) return 'an array of numbers';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a record' : `a ${typeof value}`;
}

function build(part: Part, values: Readonly<Record<string, unknown>>): unknown {
  if (part === undefined) return undefined;
  if (isPort(part)) return values[part.name];
  const parts = [...part.parts].map(([key, each]) => [key, build(each, values)] as const);
  return part.isList ? parts.map(([, each]) => each) : Object.fromEntries(parts);
}
