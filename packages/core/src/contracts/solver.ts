import type { Tensor } from '../graph/tensor.ts';
import type { Random } from '../random/random.ts';

/** The unknowns of a differential equation by name, each [batch, ...]: positions, log-densities, … */
export type OdeState = Readonly<Record<string, Tensor>>;

/** The score of the distribution at one time, scaled so that it is finite where the noise vanishes. */
export interface ScaledScore {
  /** σ²·∇log p_t(y), [batch, ...]. */
  readonly scaled: Tensor;
  /** σ of the path, broadcasting against [batch, ...]. */
  readonly std: Tensor;
  /** The rate (a′σ − aσ′)/σ at which the path trades noise for signal, likewise; 0 where σ is. */
  readonly rate: Tensor;
}

/** dy/dt = field(t, y). */
export interface OdeProblem {
  /** Traced. t is [batch]; the result has the state's names and shapes. */
  field(t: Tensor, y: OdeState): OdeState;
  /** The score that goes with a velocity, by component; absent where it is not known (two-sided paths, likelihoods). Stochastic solvers need it. */
  readonly score?: (t: Tensor, y: OdeState, velocity: OdeState) => Readonly<Record<string, ScaledScore>>;
  /** [batch], 1 for samples that count in error norms and 0 for padding. */
  readonly mask: Tensor;
  /** Scalars: where the integration starts and ends; it may run backwards. */
  readonly start: Tensor;
  readonly end: Tensor;
}

/** How a solve ended, or that it has not. Codes are part of the step's state, so they are numbers. */
export const solverStatus = { running: 0, done: 1, maxSteps: 2, underflow: 3, nonFinite: 4 } as const;
export type SolverStatus = keyof typeof solverStatus;

/**
 * What a solver carries from step to step. The leading extent of control quantities is 1 where the batch shares its steps and
 * [batch] where each sample has its own.
 */
export interface SolverState {
  readonly y: OdeState;
  /** Time reached, [control] f32. */
  readonly t: Tensor;
  /** Codes of {@link solverStatus}, [control] i32. */
  readonly status: Tensor;
  /** Field evaluations, accepted and rejected steps, each [control] i32. */
  readonly evaluations: Tensor;
  readonly accepted: Tensor;
  readonly rejected: Tensor;
  /** Magnitude of the scaled error of the last step tried, [control] f32; 1 is the tolerance. Zero for fixed steps. */
  readonly error: Tensor;
  /** Size of the next step, [control] f32. */
  readonly h: Tensor;
  /**
   * Row of the first sample that was not finite in the last step tried, [1] i32; the number of rows where all were. Given by solvers
   * that reject such steps for the whole batch, so that an error can name the sample.
   */
  readonly brokenRow?: Tensor;
  /** Whatever else the method keeps (stages to reuse, controller memory). */
  readonly memory: Readonly<Record<string, Tensor>>;
}

/** Numbers that steer a solve and are fed when it runs, so that another tolerance needs no other program. */
export type SolverSettings = Readonly<Record<string, number | readonly number[]>>;

export interface SolveStep {
  /** The state after one attempted step. Samples that have ended are left as they are. */
  readonly state: SolverState;
  /** The state inside the step just attempted: fractions θ [control, count] of the step → name → [batch, count, ...]. Given where `dense` was asked for. */
  readonly interpolate?: (theta: Tensor) => OdeState;
}

export interface SolverStepOptions {
  /** Trace the interpolant too, at the price of a further evaluation where the method has none of its own. */
  readonly dense?: boolean;
  readonly random?: Random;
}

/**
 * An integration method: two traced programs, the start and the step. The step holds its whole control flow (error norm,
 * acceptance, next step size, the clamp at the end), so it runs unchanged under a host loop or inside an exported one.
 */
export interface Solver {
  readonly name: string;
  /** Order of accuracy. */
  readonly order: number;
  /** Whether the number of steps depends on the problem. Other solvers take exactly `maxSteps` steps, so that nobody has to ask whether they have ended. */
  readonly adaptive: boolean;
  /** Steps draw noise, so they need the score and a seed, and there is no likelihood along them. */
  readonly stochastic?: boolean;
  /** Attempted steps after which a solve ends: with status maxSteps where the solver is adaptive, else done. */
  readonly maxSteps: number;
  /**
   * Scalars and vectors fed at run time; each becomes an f32 input of both programs. Of an adaptive solver `rtol` and `atol` are checked
   * against the precision of the state before it runs.
   */
  readonly settings: SolverSettings;
  start(problem: OdeProblem, y: OdeState, settings: Readonly<Record<string, Tensor>>): SolverState;
  step(
    problem: OdeProblem,
    state: SolverState,
    settings: Readonly<Record<string, Tensor>>,
    options?: SolverStepOptions,
  ): SolveStep;
}
