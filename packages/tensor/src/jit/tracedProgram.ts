import type { Backend, CompileOptions } from '../backend/backend.ts';
import { GraphError } from '../errors.ts';
import { Graph, input } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Symbolic } from '../graph/trace.ts';
import type { Tree } from '../graph/tree.ts';
import { formatType, sameShape, type TensorType } from '../tensor/shape.ts';
import { Program } from './program.ts';
import { TreePorts } from './treePorts.ts';

export interface JitOptions {
  /**
   * Paths of the argument whose arrays a run may overwrite with those at the same path of the result: `['state']`. Their handles
   * are disposed when the run succeeds. Names are joined by dots: `state.moments`.
   */
  readonly donate?: readonly string[];
}

/** A formula over trees, traced but not compiled: {@link jit} does both. Keep it to trace a formula once for many compilations. */
export class TracedProgram<Types extends Tree<TensorType>, Result extends Tree<Tensor>> {
  readonly graph: Graph;
  /** What the formula returned: tensors with the types of the result's arrays. */
  readonly result: Result;
  readonly #argumentPorts: TreePorts;
  readonly #resultPorts: TreePorts;
  readonly #aliases: NonNullable<CompileOptions['aliases']>;

  /** @throws as {@link jit} does, but for errors of the backend. */
  constructor(formula: (argument: Symbolic<Types>) => Result, types: Types, { donate = [] }: JitOptions = {}) {
    const argument = TreePorts.of(types, 'input');
    const leaves = argument.fill<TensorType>(types);
    const symbols = Object.fromEntries(argument.names.map((name) => [name, input(name, leaves[name])]));
    this.result = formula(argument.build(symbols) as Symbolic<Types>);
    const result = TreePorts.of(this.result, 'output');
    const tensors = result.fill<Tensor>(this.result);
    const ports = ({ names }: TreePorts, of: Readonly<Record<string, Tensor>>) =>
      names.map((name) => ({ name, tensor: of[name] }));
    this.graph = new Graph(ports(argument, symbols), ports(result, tensors));
    this.#aliases = donatedNames(this.graph, argument, result, donate).map((name) => [name, name] as const);
    this.#argumentPorts = argument;
    this.#resultPorts = result;
  }

  /** @throws as {@link Backend.compile} does. */
  async compile(backend: Pick<Backend, 'compile'>): Promise<Program<Types, Result>> {
    const executable = await backend.compile(this.graph, { aliases: this.#aliases });
    return new Program<Types, Result>(executable, this.#argumentPorts, this.#resultPorts);
  }
}

/** The leaves at donated paths. Argument and result must have the same ones there. */
function donatedNames(graph: Graph, argument: TreePorts, result: TreePorts, donate: readonly string[]): string[] {
  const donated = donate.flatMap((path) => {
    const given = argument.below(path);
    const returned = result.below(path);
    if (!given || !returned) {
      const side = given ? 'result' : 'argument';
      throw new GraphError(`The ${side} has no '${path}', which is donated.`, {
        actual: path,
        expected: `a path of the argument and the result, as ${(given ? result : argument).names.join(', ')}`,
      });
    }
    const single = [...given, ...returned].find((name) => given.includes(name) !== returned.includes(name));
    if (single !== undefined) {
      throw new GraphError(
        `'${single}' is only in the ${given.includes(single) ? 'argument' : 'result'}, but '${path}' is donated.`,
        { actual: single, expected: 'the same leaves in the argument and the result' },
      );
    }
    return given;
  });
  for (const name of donated) {
    const [from, to] = [graph.input(name), graph.output(name)];
    if (from.dtype === to.dtype && sameShape(from.shape, to.shape)) continue;
    throw new GraphError(
      `The donated '${name}' is ${formatType(from)} in the argument and ${formatType(to)} in the result.`,
      {
        actual: formatType(to),
        expected: formatType(from),
      },
    );
  }
  return [...new Set(donated)];
}
