import { composite } from '../graph/composite.ts';
import type { Tensor } from '../graph/tensor.ts';
import { elementwise, type Partial } from '../operators/archetypes.ts';

/** A composite that works element by element on one tensor, with its derivative written in terms of input and output. */
export function elementwiseComposite(
  name: string,
  formula: (x: Tensor) => Tensor,
  partial: Partial,
): (x: Tensor) => Tensor {
  const archetype = elementwise(name, 'float', [partial]);
  const call = composite(name, ([x]) => formula(x), {
    vjp(node, cotangents) {
      return archetype.vjp!(node, cotangents);
    },
    jvp(node, tangents) {
      return archetype.jvp!(node, tangents);
    },
  });
  return (x) => call([x], {})[0];
}
