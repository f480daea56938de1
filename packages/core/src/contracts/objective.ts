import type { Tensor } from '../graph/tensor.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Endpoints, Path, TimeInterval } from './path.ts';

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
  /** Refuses a path, for points of a shape, that the regression is not defined on. Drivers call it before they trace anything. @throws PathError */
  validate?(path: Path, shape: Shape): void;
  /**
   * Times at which the conversion to a vector field can be trusted; the path's whole interval where absent. At others drivers use
   * the field of the nearest one: model and conversion both see the clamped time.
   */
  interval?(path: Path): TimeInterval;
  /** The loss of each sample [batch], from the model's output at (t, x) [batch, ...event]. */
  loss(prediction: Tensor, sample: ObjectiveSample): Tensor;
  /** The vector field [batch, ...event] from the model's output at (t [batch], x). */
  field(prediction: Tensor, at: { readonly path: Path; readonly t: Tensor; readonly x: Tensor }): Tensor;
}

/** How training times are drawn. */
export interface TimeSampler {
  readonly name: string;
  /**
   * Times on [0, 1] and importance weights, each [batch], from uniforms [batch] on the 2⁻²⁴ grid of [0, 1). Drivers map 0 and 1 to
   * the ends of the path's interval.
   *
   * @throws PathError where the sampler cannot serve the path
   */
  sample(uniform: Tensor, path: Path): { readonly t: Tensor; readonly weight?: Tensor };
}
