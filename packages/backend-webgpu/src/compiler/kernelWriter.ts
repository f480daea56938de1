import type { DType, Node, Tensor } from '@flow-matching/tensor';
import {
  add,
  delinearize,
  IndexExpression,
  linearize,
  literal,
  variable,
  zero,
  type Term,
} from '../indexing/indexExpression.ts';
import type { LibraryName } from '../wgsl/functions.ts';
import { literalOf, valueType } from '../wgsl/types.ts';

/** Access to the values that a kernel does not compute. */
export interface KernelSources {
  /** Whether a tensor is in memory while the kernel runs. */
  readonly isStored: (tensor: Tensor) => boolean;
  /** The expression of an element of a stored tensor, in the dtype's value type. */
  readonly load: (tensor: Tensor, position: string) => string;
  /** Writes the statements that compute the element of a node's output at an index, and returns the name of its value. */
  readonly lower: (writer: KernelWriter, node: Node, index: readonly IndexExpression[]) => string;
}

/** An element of a stored tensor that a kernel reads. */
export interface Access {
  readonly tensor: Tensor;
  readonly position: IndexExpression;
}

/** Thrown if a kernel needs an element of a tensor that it computes itself, but elsewhere or later, so that it cannot be written this way. */
export class NotComputable extends Error {}

interface Block {
  readonly lines: string[];
  /** Names that this block and nested blocks can reuse. */
  readonly names: Map<string, string>;
  /** In a loop's body, the names that change in every iteration. */
  readonly changing?: Set<string>;
}

/**
 * Writes the statements of a kernel. When an element of a tensor is requested at an index, its computation from elements of
 * stored tensors is written, once per block.
 */
export class KernelWriter {
  /** Library functions that the statements call. */
  readonly functions: Set<LibraryName> = new Set();
  /** Further functions and variables of the module, by name. */
  readonly declarations: Map<string, string> = new Map();
  readonly accesses: Access[] = [];
  readonly #sources: KernelSources;
  /** Tensors that the kernel computes, and the position of each element. */
  readonly #own = new Map<Tensor, string>();
  readonly #blocks: Block[] = [{ lines: [], names: new Map() }];
  #count = 0;

  constructor(sources: KernelSources) {
    this.#sources = sources;
  }

  get code(): string[] {
    return this.#blocks[0].lines;
  }

  get #block(): Block {
    return this.#blocks.at(-1)!;
  }

  line(text: string): void {
    this.#block.lines.push(text);
  }

  /** A block of statements after a header: `if (…)`, `for (…)`. */
  block(header: string, body: () => void): void {
    this.#enclosed(header, { lines: [], names: new Map() }, body);
  }

  /** The body of a loop that counts from 0: parts of indices that do not depend on the counter are computed before it. */
  loop(counter: string, count: number, body: () => void): void {
    const header = `for (var ${counter} = 0u; ${counter} < ${count}u; ${counter}++)`;
    this.#enclosed(header, { lines: [], names: new Map(), changing: new Set([counter]) }, body);
  }

  #enclosed(header: string, block: Block, body: () => void): void {
    this.#blocks.push(block);
    body();
    const { lines } = this.#blocks.pop()!;
    this.line(`${header} {`);
    for (const line of lines) this.line(`  ${line}`);
    this.line('}');
  }

  /** A new name. */
  name(prefix: string): string {
    const name = `${prefix}${this.#count++}`;
    this.#block.changing?.add(name);
    return name;
  }

  /** Names the value of an expression. */
  let(prefix: string, expression: string): string {
    const name = this.name(prefix);
    this.line(`let ${name} = ${expression};`);
    return name;
  }

  /** A call of a library function. */
  call(name: LibraryName, ...operands: readonly string[]): string {
    this.functions.add(name);
    return `${name}(${operands.join(', ')})`;
  }

  literal(value: number, dtype: DType): string {
    const code = literalOf(value, dtype);
    if (code.includes('nanBits')) this.functions.add('nan');
    if (code.includes('infinityBits')) this.functions.add('infinity');
    return code;
  }

  /** A variable for an index whose range is guaranteed by the surrounding statements. */
  assumed(expression: IndexExpression, extent: number): IndexExpression {
    if (extent === 1) return zero;
    const name = this.once(`assumed ${expression.key}`, () => this.let('p', this.index(expression)));
    return variable(name, extent);
  }

  /** A variable from an expression of u32 below `extent`. */
  variable(expression: string, extent: number): IndexExpression {
    return extent === 1 ? zero : variable(this.let('p', expression), extent);
  }

  /** The code of an index, of u32; negative intermediate values wrap around. */
  index(expression: IndexExpression): string {
    const { constant, terms } = this.#block.changing ? this.#withoutUnchangingParts(expression) : expression;
    const product = (factor: number, name: string): string => (factor === 1 ? name : `${name} * ${factor}u`);
    let code = '';
    const append = (sign: '+' | '-', text: string): void => {
      code = code === '' ? (sign === '+' ? text : `0u - ${text}`) : `${code} ${sign} ${text}`;
    };
    const ascending = terms.toSorted((a, b) => Number(b.factor > 0) - Number(a.factor > 0));
    if (constant > 0) append('+', `${constant}u`);
    for (const { atom, factor } of ascending) {
      const name = atom.division ? this.#division(atom.key, atom.division) : atom.key;
      append(factor > 0 ? '+' : '-', product(Math.abs(factor), name));
    }
    if (constant < 0) append('-', `${-constant}u`);
    return code === '' ? '0u' : code;
  }

  /** Within a loop, an index whose invariant part is replaced by one name, computed before the loop. */
  #withoutUnchangingParts(expression: IndexExpression): IndexExpression {
    const [changing, unchanging] = split(expression, this.#block.changing!);
    if (unchanging.terms.length < 2 && !unchanging.terms.some(isCostly)) return expression;
    const loop = this.#blocks.pop()!;
    const name = this.once(`sum ${unchanging.key}`, () => this.let('p', this.index(unchanging)));
    this.#blocks.push(loop);
    return add(changing, variable(name, unchanging.most + 1));
  }

  #division(
    key: string,
    { kind, of, divisor }: { kind: 'quotient' | 'remainder'; of: IndexExpression; divisor: number },
  ): string {
    const known = this.#known(key);
    if (known !== undefined) return known;
    return this.#keep(key, this.let('p', `(${this.index(of)}) ${kind === 'quotient' ? '/' : '%'} ${divisor}u`));
  }

  #known(key: string): string | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const name = this.#blocks[i].names.get(key);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #keep(key: string, name: string): string {
    this.#block.names.set(key, name);
    return name;
  }

  /** A value computed once per block, identified by a key. */
  once(key: string, expression: () => string): string {
    return this.#known(key) ?? this.#keep(key, expression());
  }

  /** Records the position at which the kernel computes a tensor itself. */
  own(tensor: Tensor, position: IndexExpression): void {
    this.#own.set(tensor, position.key);
  }

  /** The key of the position of each element of a tensor that the kernel computes. */
  positionOf(tensor: Tensor): string | undefined {
    return this.#own.get(tensor);
  }

  /** Records the name of an element that is already computed. */
  define(tensor: Tensor, position: IndexExpression, name: string): void {
    this.#keep(elementKey(tensor, position), name);
  }

  /** The value of an element at a row-major position. */
  valueAt(tensor: Tensor, position: IndexExpression): string {
    return this.value(tensor, delinearize(position, tensor.shape));
  }

  /**
   * The value of an element: a name or a literal.
   *
   * @throws NotComputable for an element that the kernel computes elsewhere.
   */
  value(tensor: Tensor, index: readonly IndexExpression[]): string {
    const position = linearize(index, tensor.shape);
    return this.once(elementKey(tensor, position), () => this.#compute(tensor, index, position));
  }

  /** Whether elements of a tensor come from memory. */
  isLoaded(tensor: Tensor): boolean {
    return !this.#own.has(tensor) && this.#sources.isStored(tensor);
  }

  #compute(tensor: Tensor, index: readonly IndexExpression[], position: IndexExpression): string {
    const { node } = tensor;
    const home = this.#own.get(tensor);
    if (home !== undefined && home !== position.key) throw new NotComputable(tensor.toString());
    if (home === undefined && this.#sources.isStored(tensor)) {
      this.accesses.push({ tensor, position });
      return this.let('v', this.#sources.load(tensor, this.index(position)));
    }
    return this.#sources.lower(this, node, index);
  }

  /** Declares a variable that statements assign to. */
  declare(dtype: DType, initial: string): string {
    const name = this.name('a');
    this.line(`var ${name}: ${valueType(dtype)} = ${initial};`);
    return name;
  }
}

/**
 * Splits an index into the parts that depend on the given names and those that do not. The constant stays with the former, so
 * that indices that differ by it share the latter; an index with a part that may be negative is not split.
 */
function split(
  expression: IndexExpression,
  names: ReadonlySet<string>,
): [changing: IndexExpression, unchanging: IndexExpression] {
  const changes = ({ terms }: IndexExpression): boolean =>
    terms.some(({ atom: { key, division } }) => (division ? changes(division.of) : names.has(key)));
  const parts = expression.terms.map((term) => new IndexExpression(0, [term]));
  const unchanging = add(...parts.filter((part) => !changes(part)));
  if (unchanging.least < 0) return [expression, zero];
  return [add(literal(expression.constant), ...parts.filter(changes)), unchanging];
}

/** Whether a term needs a multiplication or a division. */
const isCostly = ({ atom, factor }: Term): boolean => factor !== 1 || atom.division !== undefined;

const elementKey = (tensor: Tensor, position: IndexExpression): string =>
  `${tensor.node.id}.${tensor.index}@${position.key}`;

/** The index of an operand that broadcasts to a result at an index. */
export function broadcastIndex(index: readonly IndexExpression[], shape: readonly number[]): IndexExpression[] {
  const lead = index.length - shape.length;
  return shape.map((extent, axis) => (extent === 1 ? zero : index[axis + lead]));
}
