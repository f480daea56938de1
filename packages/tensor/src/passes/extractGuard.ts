import { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';

/** A graph with outputs that replace their aliased input only if a scalar condition is true. */
export interface GuardedGraph {
  /** The graph with unconditional outputs in place of guarded ones, and the condition as a further output. */
  readonly graph: Graph;
  /** Name of the condition's output, a bool scalar; undefined if nothing is guarded. */
  readonly guard: string | undefined;
  /** Names of the outputs that are valid only if the guard is true. */
  readonly guarded: ReadonlySet<string>;
}

const guardName = 'guard';

/**
 * Recognizes `output = Where(condition, updated, input)` for aliased pairs under one scalar condition: a step that is kept or
 * dropped as a whole, as training does for a gradient that is not finite. A backend that double-buffers its state then drops a
 * step by not swapping the buffers, which is free, whereas the selection would be one more pass over every array.
 *
 * Output names must not include `guard`.
 */
export function extractGuard(
  graph: Graph,
  aliases: readonly (readonly [input: string, output: string])[],
): GuardedGraph {
  const aliased = new Map(aliases.map(([input, output]) => [output, graph.input(input)]));
  const selections = new Map<string, { condition: Tensor; updated: Tensor }>();
  for (const { name, tensor } of graph.outputs) {
    const { operator, inputs } = tensor.node;
    if (operator.name !== 'Where' || inputs[0].size !== 1 || inputs[2] !== aliased.get(name)) continue;
    if (inputs[1].shape.join() === tensor.shape.join())
      selections.set(name, { condition: inputs[0], updated: inputs[1] });
  }
  const condition = [...selections.values()][0]?.condition;
  if (!condition) return { graph, guard: undefined, guarded: new Set() };
  const guarded = new Set(
    [...selections].flatMap(([name, selection]) => (selection.condition === condition ? [name] : [])),
  );
  const outputs = graph.outputs.map(({ name, tensor }) => ({
    name,
    tensor: guarded.has(name) ? selections.get(name)!.updated : tensor,
  }));
  return {
    graph: new Graph(graph.inputs, [...outputs, { name: guardName, tensor: condition }]),
    guard: guardName,
    guarded,
  };
}
