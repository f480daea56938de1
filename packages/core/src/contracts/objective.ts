import type { Tensor, Shape } from '@flow-matching/tensor';
import type { Endpoints, Path, TimeInterval } from './path.ts';

/** One batch of a regression: for each sample, a point on its conditional path and the quantities at that point. */
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

/** The regression target of a model, and the conversion of its output to the vector field that is integrated. */
export interface Objective {
  readonly name: string;
  /** Refuses a path that the regression is not defined on, for points of the given shape. Drivers call it before tracing. @throws PathError */
  validate?(path: Path, shape: Shape): void;
  /**
   * Times at which the conversion to a vector field is accurate; default: the path's whole interval. At other times drivers use
   * the field at the nearest such time: model and conversion both receive the clamped time.
   */
  interval?(path: Path): TimeInterval;
  /** The loss per sample [batch], from the model's output at (t, x) [batch, ...event]. */
  loss(prediction: Tensor, sample: ObjectiveSample): Tensor;
  /** The vector field [batch, ...event] from the model's output at (t [batch], x). */
  field(prediction: Tensor, at: { readonly path: Path; readonly t: Tensor; readonly x: Tensor }): Tensor;
}

/** How training times are drawn. */
export interface TimeSampler {
  readonly name: string;
  /**
   * Times on [0, 1] and importance weights, each [batch], from uniforms [batch] on the 2⁻²⁴ grid of [0, 1). Drivers map 0 and 1
   * to the ends of the path's interval.
   *
   * @throws PathError if the sampler does not support the path.
   */
  sample(uniform: Tensor, path: Path): { readonly t: Tensor; readonly weight?: Tensor };
}
