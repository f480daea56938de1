import { formatType, type TensorType } from '../tensor/shape.ts';
import { Graph, input } from './graph.ts';
import { attributesKey } from './hash.ts';
import { apply } from './node.ts';
import type { Attributes, Operator } from './operator.ts';
import type { Tensor } from './tensor.ts';

export type CompositeRules<A extends Attributes> = Pick<Operator<A>, 'vjp' | 'jvp'>;

/** Applies a composite: inputs and attributes to outputs. */
export interface Composite<A extends Attributes> {
  (inputs: readonly Tensor[], attributes: A): readonly Tensor[];
  readonly operator: Operator<A>;
}

/**
 * A named subgraph. A backend that has a lowering under `name` runs it as one kernel; other backends run the decomposition
 * built by `formula`. Derivatives are those of the decomposition unless rules are given. Rules may emit composites, so that
 * fused kernels survive differentiation. Conformance checks rules and lowerings against the decomposition.
 */
export function composite<A extends Attributes = Attributes>(
  name: string,
  formula: (inputs: readonly Tensor[], attributes: A) => Tensor | readonly Tensor[],
  rules: CompositeRules<A> = {},
): Composite<A> {
  const bodies = new Map<string, Graph>();
  const operator = {
    name,
    infer(types: readonly TensorType[], attributes: A) {
      return operator.body(types, attributes).outputs.map(({ tensor: { shape, dtype } }) => ({ shape, dtype }));
    },
    body(types: readonly TensorType[], attributes: A): Graph {
      const key = `${types.map(formatType).join()}|${attributesKey(attributes)}`;
      let graph = bodies.get(key);
      if (!graph) {
        graph = buildBody(types, (inputs) => formula(inputs, attributes));
        bodies.set(key, graph);
      }
      return graph;
    },
    ...rules,
  };
  return Object.assign((inputs: readonly Tensor[], attributes: A) => apply(operator, inputs, attributes), { operator });
}

function buildBody(
  types: readonly TensorType[],
  formula: (inputs: readonly Tensor[]) => Tensor | readonly Tensor[],
): Graph {
  const inputs = types.map((type, i) => ({ name: `${i}`, tensor: input(`${i}`, type) }));
  const result = formula(inputs.map((port) => port.tensor));
  const outputs = Array.isArray(result) ? (result as Tensor[]) : [result as Tensor];
  return new Graph(
    inputs,
    outputs.map((tensor, i) => ({ name: `${i}`, tensor })),
  );
}
