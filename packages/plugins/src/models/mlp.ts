import { defineModel, type VectorFieldModel } from '@flow-matching/core';
import {
  concat,
  DTypeError,
  isFloat,
  sizeOf,
  type HostArray,
  type HostRandomStream,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import * as z from 'zod';
import { activationNames, activations } from './activations.ts';
import { timeEmbeddingNames, timeEmbeddings } from './timeEmbeddings.ts';

/** A type alias, because interfaces lack the index signature that Tree needs. */
type Layers<Leaf> = { readonly layers: readonly { readonly weight: Leaf; readonly bias: Leaf }[] };

const options = z.strictObject({
  width: z.int().positive().max(65_536).default(512).describe('Units of each hidden layer'),
  depth: z.int().positive().max(1000).default(5).describe('Number of linear layers'),
  activation: z.enum(activationNames).default('silu').describe('Activation function between the layers'),
  timeEmbedding: z
    .enum(timeEmbeddingNames)
    .default('concatenate')
    .describe('How the time enters the first layer: as one number, or as Fourier or sinusoidal features'),
  frequencies: z
    .int()
    .positive()
    .max(65_536)
    .default(32)
    .describe('Number of frequencies of the fourier and sinusoidal embeddings'),
});

/**
 * A multilayer perceptron over the flattened point, the features of the time and any float conditions, concatenated into one
 * row. Weights are [in, out]; weights and biases are initialized uniformly on ±1/√in, as in PyTorch's Linear.
 *
 * @throws DTypeError for a condition that is not float.
 */
export const mlp = defineModel({
  name: 'mlp',
  summary: 'Fully connected layers over point, time and float conditions',
  options,
  create: ({
    width,
    depth,
    activation,
    timeEmbedding,
    frequencies,
  }): VectorFieldModel<Layers<HostArray>, Layers<Tensor>> => ({
    name: 'mlp',
    init(random, { shape, condition = {} }) {
      const columns = [shape, ...Object.values(condition)].reduce((sum, part) => sum + sizeOf(part), 0);
      const first = columns + timeEmbeddings[timeEmbedding].size(frequencies);
      const extents = [first, ...Array.from({ length: depth - 1 }, () => width), sizeOf(shape)];
      return { layers: extents.slice(1).map((out, i) => linearLayer(random, extents[i], out)) };
    },
    apply({ layers }, { t, x, condition = {} }) {
      const features = timeEmbeddings[timeEmbedding].embed(t, frequencies).cast(x.dtype);
      let hidden = concat([flatRows(x), features, ...conditionRows(condition)], 1);
      layers.forEach(({ weight, bias }, i) => {
        const activated = i === 0 ? hidden : activations[activation](hidden);
        hidden = activated.matmul(weight).add(bias);
      });
      return hidden.reshape(x.shape);
    },
  }),
});

function linearLayer(
  random: HostRandomStream,
  inputs: number,
  outputs: number,
): { weight: HostArray; bias: HostArray } {
  const bound = 1 / Math.sqrt(inputs);
  const draw = (shape: Shape): HostArray => random.uniform(shape, -bound, bound);
  return { weight: draw([inputs, outputs]), bias: draw([outputs]) };
}

const flatRows = (x: Tensor): Tensor => x.reshape([x.shape[0], sizeOf(x.shape.slice(1))]);

/** Conditions as rows, sorted by name, so that the order does not depend on the record. */
function conditionRows(condition: Readonly<Record<string, Tensor>>): Tensor[] {
  return Object.entries(condition)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (isFloat(value.dtype)) return flatRows(value);
      throw new DTypeError(`The condition '${name}' is ${value.dtype}, which the mlp does not take.`, {
        actual: value.dtype,
        expected: 'a float condition',
        remedy: 'Encode labels as one-hot rows.',
        callSite: value.node.callSite,
      });
    });
}
