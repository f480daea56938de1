import {
  OptionError,
  type Tensor,
  constant,
  zeros,
  gather,
  and,
  where,
  expand,
  reshape,
  type Random,
} from '@flow-matching/tensor';
import {
  solverStatus,
  type OdeProblem,
  type OdeState,
  type ScaledScore,
  type Solver,
  type SolverState,
  type SolveStep,
} from '../contracts/solver.ts';
import { checkStepCount } from './checkRun.ts';
import { controlAgainst, mapState, selectState } from './odeState.ts';

/** One step of a stochastic method, of size h from t to tNext. */
export interface StochasticStep {
  readonly problem: OdeProblem;
  readonly y: OdeState;
  readonly t: Tensor;
  readonly h: Tensor;
  readonly tNext: Tensor;
  /** Bool [1]: whether this step ends the solve. */
  readonly last: Tensor;
  readonly settings: Readonly<Record<string, Tensor>>;
  readonly random: Random;
  /** The field at (t [control], y). */
  readonly velocity: (t: Tensor, y: OdeState) => OdeState;
  readonly score: (t: Tensor, y: OdeState, velocity: OdeState) => Readonly<Record<string, ScaledScore>>;
}

export interface StochasticMethod {
  readonly name: string;
  readonly order: number;
  /** Field evaluations of one step. */
  readonly evaluations: number;
  readonly settings?: Readonly<Record<string, number>>;
  readonly advance: (step: StochasticStep) => OdeState;
}

/** A solver that adds noise in every step, with fixed steps over a grid of fractions (default: equal steps). */
export function stochasticSteps(
  { name, order, evaluations, settings = {}, advance }: StochasticMethod,
  steps: number,
  grid?: readonly number[],
): Solver {
  checkStepCount(name, steps);
  const fractions = grid ?? Array.from({ length: steps + 1 }, (_, i) => i / steps);
  return {
    name,
    order,
    adaptive: false,
    stochastic: true,
    maxSteps: steps,
    settings: { ...settings, grid: fractions },
    start: (problem, y) => ({
      y,
      t: reshape(problem.start, [1]),
      h: zeros([1]),
      status: zeros([1], 'i32'),
      evaluations: zeros([1], 'i32'),
      accepted: zeros([1], 'i32'),
      rejected: zeros([1], 'i32'),
      error: zeros([1]),
      memory: {},
    }),
    step(problem, state, given, { random } = {}): SolveStep {
      if (!problem.score || !random)
        throw new OptionError(`The solver '${name}' needs the score and a seed.`, {
          expected: 'sampling along a one-sided path',
        });
      const { score } = problem;
      const after = state.accepted.add(1);
      const last = after.equal(steps);
      const tNext = where(
        last,
        problem.end,
        problem.start.add(problem.end.sub(problem.start).mul(gather(given['grid'], after))),
      );
      const h = tNext.sub(state.t);
      const batchTime = (t: Tensor): Tensor => expand(t, problem.mask.shape);
      const y = advance({
        problem,
        y: state.y,
        t: state.t,
        h,
        tNext,
        last,
        settings: given,
        random,
        velocity: (t, at) => problem.field(batchTime(t), at),
        score: (t, at, velocity) => score(batchTime(t), at, velocity),
      });
      return {
        state: advanced(state, { y, h, tNext, last, evaluations }),
        interpolate: (theta) => straight(state.y, y, theta),
      };
    },
  };
}

function advanced(
  state: SolverState,
  { y, h, tNext, last, evaluations }: { y: OdeState; h: Tensor; tNext: Tensor; last: Tensor; evaluations: number },
): SolverState {
  const running = state.status.equal(solverStatus.running);
  return {
    ...state,
    y: selectState(running, y, state.y),
    t: where(running, tNext, state.t),
    h: where(running, h, state.h),
    status: where(and(running, last), constant([solverStatus.done], 'i32'), state.status),
    evaluations: state.evaluations.add(where(running, constant([evaluations], 'i32'), 0)),
    accepted: state.accepted.add(running.cast('i32')),
  };
}

/** Inside a noisy step, linear interpolation is as good as any other. */
function straight(from: OdeState, to: OdeState, theta: Tensor): OdeState {
  return mapState(
    (a, b) => {
      const shape = a.shape.toSpliced(1, 0, 1);
      const weight = reshape(theta, [...theta.shape, ...a.shape.slice(1).map(() => 1)]);
      return reshape(a, shape).add(weight.mul(reshape(b.sub(a), shape)));
    },
    from,
    to,
  );
}

/** Noise of a step, set to 0 where `off` is true. */
export function silenced(noise: Tensor, off: Tensor): Tensor {
  return where(controlAgainst(off, noise), 0, noise);
}
