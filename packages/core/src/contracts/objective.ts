import type { Tensor } from '../graph/tensor.ts';
import type { Endpoints, Path } from './path.ts';

/** One batch of a regression: a point on the conditional path of each sample, and what is known of it. */
export interface ObjectiveSample {
  readonly path: Path;
  /** [batch]. */
  readonly t: Tensor;
  readonly z: Endpoints;
  /** Standard normal, [batch, ...event]. */
  readonly noise: Tensor;
  /** ψ_t(noise), [batch, ...event]. */
  readonly x: Tensor;
  /** d/dt ψ_t(noise), [batch, ...event]. */
  readonly velocity: Tensor;
}

/** What a model regresses on, and how its output becomes the vector field that is integrated. */
export interface Objective {
  readonly name: string;
  /** The loss of each sample [batch], from the model's output at (t, x) [batch, ...event]. */
  loss(prediction: Tensor, sample: ObjectiveSample): Tensor;
  /** The vector field [batch, ...event] from the model's output at (t [batch], x). */
  field(prediction: Tensor, at: { readonly path: Path; readonly t: Tensor; readonly x: Tensor }): Tensor;
}

/** How training times are drawn. */
export interface TimeSampler {
  readonly name: string;
  /** Times on [0, 1] and importance weights, each [batch], from uniforms [batch] on the 2⁻²⁴ grid of [0, 1). Drivers map them to the path's interval. */
  sample(uniform: Tensor): { readonly t: Tensor; readonly weight?: Tensor };
}
