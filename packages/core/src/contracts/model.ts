import type { Tensor, Tree, Random, HostRandomStream, HostArray, Shape } from '@flow-matching/tensor';

/** Parameters on the host: nested records and arrays of host arrays. Paths are their names in checkpoints. */
export type Parameters = Tree<HostArray>;
/** The same nesting of symbolic tensors, as `apply` receives it. */
export type SymbolicParameters = Tree<Tensor>;

/** What a model is built for. */
export interface ModelContext {
  /** Shape of one data point, without the batch. */
  readonly shape: Shape;
  /** Shapes of the conditioning arrays, without the batch. */
  readonly condition?: Readonly<Record<string, Shape>>;
}

export interface ModelInputs {
  /** Time in [0, 1], shape [batch]. */
  readonly t: Tensor;
  /** [batch, ...event]. */
  readonly x: Tensor;
  readonly condition?: Readonly<Record<string, Tensor>>;
  /** Random draws for this call (dropout); present only during training. */
  readonly random?: Random;
  readonly training?: boolean;
}

/** A parametric vector field v_θ(t, x): parameters and a formula. */
export interface VectorFieldModel<
  P extends Parameters = Parameters,
  S extends SymbolicParameters = SymbolicParameters,
> {
  readonly name: string;
  init(random: HostRandomStream, context: ModelContext): P;
  /** Traced. Returns [batch, ...event], interpreted by the objective: a velocity, a noise, a score. */
  apply(parameters: S, inputs: ModelInputs): Tensor;
}
