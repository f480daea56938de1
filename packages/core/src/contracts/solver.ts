import type { Tensor, Tree, Random } from '@flow-matching/tensor';

/** The unknowns of a differential equation by name, each [batch, ...]: positions, log-densities, … */
export type OdeState = Readonly<Record<string, Tensor>>;

/** The score of the distribution at one time, scaled so that it stays finite where the noise vanishes. */
export interface ScaledScore {
  /** σ²·∇log p_t(y), [batch, ...]. */
  readonly scaled: Tensor;
  /** σ of the path, broadcasting against [batch, ...]. */
  readonly std: Tensor;
  /** The rate (a′σ − aσ′)/σ at which the path replaces noise by signal, with the same shape; 0 where σ is 0. */
  readonly rate: Tensor;
}

/** dy/dt = field(t, y). */
export interface OdeProblem {
  /** Traced. t has shape [batch]; the result has the state's names and shapes. */
  field(t: Tensor, y: OdeState): OdeState;
  /** The score that belongs to a velocity, by component; absent if unknown (two-sided paths, likelihoods). Stochastic solvers need it. */
  readonly score?: (t: Tensor, y: OdeState, velocity: OdeState) => Readonly<Record<string, ScaledScore>>;
  /** [batch], 1 for samples that enter error norms and 0 for padding. */
  readonly mask: Tensor;
  /** Scalars: where the integration starts and ends; it may run backwards. */
  readonly start: Tensor;
  readonly end: Tensor;
}

/** How a solve ended, or that it is running. Codes are part of the step's state, so they are numbers. */
export const solverStatus = { running: 0, done: 1, maxSteps: 2, underflow: 3, nonFinite: 4 } as const;
export type SolverStatus = keyof typeof solverStatus;

/**
 * What a solver carries from step to step: tensors while it is traced, arrays while it runs. The leading extent of control quantities is 1 if the batch shares its steps and
 * [batch] if each sample has its own.
 */
export type SolverState<Leaf = Tensor> = {
  readonly y: Readonly<Record<string, Leaf>>;
  /** Time reached, [control] f32. */
  readonly t: Leaf;
  /** Codes of {@link solverStatus}, [control] i32. */
  readonly status: Leaf;
  /** Field evaluations, accepted and rejected steps, each [control] i32. */
  readonly evaluations: Leaf;
  readonly accepted: Leaf;
  readonly rejected: Leaf;
  /** Magnitude of the scaled error of the last attempted step, [control] f32; 1 is the tolerance. Zero for fixed steps. */
  readonly error: Leaf;
  /** Size of the next step, [control] f32. */
  readonly h: Leaf;
  /**
   * Row of the first sample that was not finite in the last attempted step, [1] i32; the number of rows if all were finite. Set
   * by solvers that reject such steps for the whole batch, so that an error can name the sample.
   */
  readonly brokenRow?: Leaf;
  /** Other values that the method keeps (stages to reuse, controller memory). */
  readonly memory: Tree<Leaf>;
};

/** Numbers that control a solve and are fed at run time, so that changing a tolerance needs no new program. */
export type SolverSettings = Readonly<Record<string, number | readonly number[]>>;

export interface SolveStep {
  /** The state after one attempted step. Finished samples are unchanged. */
  readonly state: SolverState;
  /**
   * The state inside the step just attempted: fractions θ [control, count] of the step → name → [batch, count, ...]. Present if
   * `dense` was requested.
   */
  readonly interpolate?: (theta: Tensor) => OdeState;
}

export interface SolverStepOptions {
  /** Trace the interpolant too, at the cost of one more evaluation if the method has no interpolant of its own. */
  readonly dense?: boolean;
  readonly random?: Random;
}

/**
 * An integration method: two traced programs, the start and the step. The step contains the whole control flow (error norm,
 * acceptance, next step size, the clamp at the end), so it runs unchanged in a host loop or an exported one.
 */
export interface Solver {
  readonly name: string;
  /** Order of accuracy. */
  readonly order: number;
  /** Whether the number of steps depends on the problem. Other solvers take exactly `maxSteps` steps, so their status need not be read. */
  readonly adaptive: boolean;
  /** Whether steps draw noise: they then need the score and a seed, and have no likelihood. */
  readonly stochastic?: boolean;
  /** Attempted steps after which a solve ends: with status maxSteps if the solver is adaptive, else done. */
  readonly maxSteps: number;
  /**
   * Scalars and vectors fed at run time; each becomes an f32 input of both programs. `rtol` and `atol` of an adaptive solver
   * are checked against the precision of the state before a solve.
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
