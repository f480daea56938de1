import { gelu, relu, silu, softplus, tanh, type Tensor } from '@flow-matching/tensor';
import { selu } from './selu.ts';

/** Activation functions by their names in model options. */
export const activations = {
  silu,
  gelu: (x: Tensor) => gelu(x),
  relu,
  tanh: (x: Tensor) => tanh(x),
  softplus,
  selu,
} as const satisfies Readonly<Record<string, (x: Tensor) => Tensor>>;

export type Activation = keyof typeof activations;
export const activationNames = Object.keys(activations) as [Activation, ...Activation[]];
