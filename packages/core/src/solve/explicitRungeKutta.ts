import {
  OptionError,
  type Tensor,
  maximum,
  minimum,
  sign,
  constant,
  full,
  zeros,
  gather,
  and,
  isFinite,
  less,
  not,
  where,
  concat,
  expand,
  reshape,
  matmul,
  checkInteger,
} from '@flow-matching/tensor';
import {
  solverStatus,
  type OdeProblem,
  type OdeState,
  type Solver,
  type SolverSettings,
  type SolveStep,
} from '../contracts/solver.ts';
import { checkTableau, type ButcherTableau } from './butcherTableau.ts';
import { checkStepCount } from './checkRun.ts';
import { linearCombination } from './linearCombination.ts';
import { brokenRows, controlAgainst, firstRow, mapState, rootMeanSquare, selectState } from './odeState.ts';

export interface AdaptiveOptions {
  /** Error allowed per step relative to the solution's size. */
  readonly rtol: number;
  /** Error allowed per step, in the units of the solution. */
  readonly atol: number;
  /** Attempts after which the solve ends with status maxSteps. Default 10,000. */
  readonly maxSteps?: number;
  /** Each sample has its own step size, so that its result does not depend on the rest of the batch. Default false. */
  readonly perSample?: boolean;
  /** Factor on the step size suggested by the error estimate. Default 0.9. */
  readonly safety?: number;
  /** Bounds of the change of step size. Defaults 0.2 and 10. */
  readonly minFactor?: number;
  readonly maxFactor?: number;
  /**
   * Exponents of the controller: h ← h · safety · ε_n^(−(p + i)/k) · ε_{n−1}^(p/k), where k is the estimate's order plus one.
   * Defaults 0.2 and 0.65.
   */
  readonly proportional?: number;
  readonly integral?: number;
  /** Size of the first step. Default: Hairer, Nørsett & Wanner's estimate (II.4), which costs one evaluation. */
  readonly firstStep?: number;
}

/** Defaults of the adaptive options. */
export const adaptiveDefaults = {
  maxSteps: 10_000,
  perSample: false,
  safety: 0.9,
  minFactor: 0.2,
  maxFactor: 10,
  proportional: 0.2,
  integral: 0.65,
} as const satisfies Partial<AdaptiveOptions>;

export interface FixedStepOptions {
  /** Number of equal steps. */
  readonly steps: number;
  /** The steps + 1 grid points as fractions of the interval, increasing from 0 to 1. Default: equal steps. */
  readonly grid?: readonly number[];
}

/** An explicit Runge–Kutta method, with fixed steps or with adaptive ones by the tableau's embedded estimate. */
export function explicitRungeKutta(
  name: string,
  tableau: ButcherTableau,
  options: AdaptiveOptions | FixedStepOptions,
): Solver {
  checkTableau(name, tableau);
  return 'steps' in options ? fixedSteps(name, tableau, options) : adaptiveSteps(name, tableau, options);
}

type Settings = Readonly<Record<string, Tensor>>;

const count = (control: number): Tensor => zeros([control], 'i32');
const status = (code: number): Tensor => constant([code], 'i32');
const direction = ({ start, end }: OdeProblem): Tensor => reshape(sign(end.sub(start)), [1]);

/** The stages of one step and the resulting solution. */
interface Stages {
  readonly derivatives: readonly OdeState[];
  readonly y: OdeState;
}

/** Evaluates the stages at t + c·h; stages at the step's end use `tEnd`, so that the last step ends exactly at the end. */
function evaluateStages(
  tableau: ButcherTableau,
  problem: OdeProblem,
  y: OdeState,
  from: { t: Tensor; h: Tensor; tEnd: Tensor },
  first?: OdeState,
): Stages {
  const { nodes, stages, weights } = tableau;
  const rows = problem.mask.shape;
  const derivatives: OdeState[] = [];
  const combine = (coefficients: readonly number[]): OdeState =>
    mapState(
      (value, ...terms) => value.add(linearCombination(coefficients, terms).mul(controlAgainst(from.h, value))),
      y,
      ...derivatives,
    );
  let reached = y;
  nodes.forEach((node, i) => {
    if (i === 0 && first) {
      derivatives.push(first);
      return;
    }
    reached = i === 0 ? y : combine(stages[i]);
    const t = node === 1 ? from.tEnd : node === 0 ? from.t : from.t.add(from.h.mul(node));
    derivatives.push(problem.field(expand(t, rows), reached));
  });
  // A first-same-as-last method already has its solution: the point where the last stage was evaluated.
  return { derivatives, y: tableau.firstSameAsLast ? reached : combine(weights) };
}

/** The interpolant of a step: the tableau's own, else the cubic Hermite one through both ends. */
function interpolation(
  tableau: ButcherTableau,
  problem: OdeProblem,
  y: OdeState,
  h: Tensor,
  tEnd: Tensor,
  { derivatives, y: y1 }: Stages,
): (theta: Tensor) => OdeState {
  const rows = problem.mask.size;
  const polynomial = (theta: Tensor, coefficients: readonly number[]): Tensor =>
    coefficients.reduceRight<Tensor>((sum, coefficient) => sum.add(coefficient).mul(theta), theta.mul(0));
  const combine = (theta: Tensor, terms: readonly { rates: OdeState; coefficients: readonly number[] }[]): OdeState =>
    mapState(
      (start, ...rates) => {
        const dimension = start.size / rows;
        // [control, count, stages] × [batch, stages, dimension]
        const weights = concat(
          terms.map(({ coefficients }) =>
            reshape(polynomial(theta, coefficients).mul(h.reshape([h.size, 1])), [...theta.shape, 1]),
          ),
          2,
        );
        const stacked = concat(
          rates.map((rate) => reshape(rate, [rows, 1, dimension])),
          1,
        );
        const moved = matmul(weights, stacked).add(reshape(start, [rows, 1, dimension]));
        return reshape(moved, [rows, theta.shape[1], ...start.shape.slice(1)]);
      },
      y,
      ...terms.map(({ rates }) => rates),
    );
  const { interpolant } = tableau;
  if (interpolant)
    return (theta) =>
      combine(
        theta,
        derivatives.map((rates, i) => ({ rates, coefficients: interpolant[i] })),
      );
  const last = tableau.firstSameAsLast ? derivatives.at(-1)! : problem.field(expand(tEnd, problem.mask.shape), y1);
  const perStep = mapState((a, b) => b.sub(a).div(controlAgainst(h, a)), y, y1);
  return (theta) =>
    combine(theta, [
      { rates: derivatives[0], coefficients: [1, -2, 1] },
      { rates: last, coefficients: [0, -1, 1] },
      { rates: perStep, coefficients: [0, 3, -2] },
    ]);
}

/** Evaluations that tracing the interpolant adds. */
const denseCost = (tableau: ButcherTableau, dense: boolean | undefined): number =>
  dense && !tableau.interpolant && !tableau.firstSameAsLast ? 1 : 0;

function fixedSteps(name: string, tableau: ButcherTableau, { steps, grid }: FixedStepOptions): Solver {
  checkStepCount(name, steps);
  if (grid) checkGrid(name, grid, steps);
  const settings: SolverSettings = grid ? { steps, grid } : { steps };
  /** Fraction of the interval covered after `index` steps. */
  const fraction = (index: Tensor, given: Settings): Tensor =>
    given['grid'] ? gather(given['grid'], index) : index.cast('f32').div(given['steps']);
  const stageCount = tableau.firstSameAsLast ? tableau.nodes.length - 1 : tableau.nodes.length;
  const method: ButcherTableau = tableau.firstSameAsLast ? truncated(tableau) : tableau;
  return {
    name,
    order: tableau.order,
    adaptive: false,
    maxSteps: steps,
    settings,
    start: (problem, y) => ({
      y,
      t: reshape(problem.start, [1]),
      h: zeros([1]),
      status: count(1),
      evaluations: count(1),
      accepted: count(1),
      rejected: count(1),
      error: zeros([1]),
      memory: {},
    }),
    step(problem, state, given, { dense } = {}): SolveStep {
      const running = state.status.equal(solverStatus.running);
      const after = state.accepted.add(1);
      const last = less(given['steps'].sub(0.5), after.cast('f32'));
      const span = problem.end.sub(problem.start);
      const tNext = where(last, problem.end, problem.start.add(span.mul(fraction(after, given))));
      const h = tNext.sub(state.t);
      const stages = evaluateStages(method, problem, state.y, { t: state.t, h, tEnd: tNext });
      const evaluated = stageCount + denseCost(method, dense);
      return {
        state: {
          y: selectState(running, stages.y, state.y),
          t: where(running, tNext, state.t),
          h: where(running, h, state.h),
          status: where(and(running, last), status(solverStatus.done), state.status),
          evaluations: state.evaluations.add(where(running, status(evaluated), 0)),
          accepted: state.accepted.add(where(running, status(1), 0)),
          rejected: state.rejected,
          error: state.error,
          memory: {},
        },
        ...(dense && { interpolate: interpolation(method, problem, state.y, h, tNext, stages) }),
      };
    },
  };
}

/** A first-same-as-last method without its last stage, which fixed steps do not need. */
function truncated({ order, nodes, stages, weights }: ButcherTableau): ButcherTableau {
  return { order, nodes: nodes.slice(0, -1), stages: stages.slice(0, -1), weights: weights.slice(0, -1) };
}

function checkGrid(name: string, grid: readonly number[], steps: number): void {
  const increasing = grid.every((value, i) => i === 0 || value > grid[i - 1]);
  if (grid.length === steps + 1 && grid[0] === 0 && grid.at(-1) === 1 && increasing) return;
  throw new OptionError(`The time grid of '${name}' does not divide the interval.`, {
    actual: grid,
    expected: `${steps + 1} increasing numbers from 0 to 1`,
  });
}

/** What an adaptive method remembers from one step to the next. */
type Memory = {
  /** Scaled error of the last accepted step, [control]. */
  readonly previousError: Tensor;
  /** The first derivative of the next step, if the method has it already. */
  readonly firstStage?: OdeState;
};

function adaptiveSteps(name: string, tableau: ButcherTableau, options: AdaptiveOptions): Solver {
  const { embedded } = tableau;
  if (!embedded) {
    throw new OptionError(`The method '${name}' has no error estimate.`, {
      expected: 'a fixed number of steps',
      remedy: 'Give steps instead of tolerances.',
    });
  }
  const { rtol, atol, maxSteps, perSample, safety, minFactor, maxFactor, proportional, integral, firstStep } = {
    ...adaptiveDefaults,
    ...options,
  };
  checkTolerances(name, options);
  const k = embedded.order + 1;
  const settings: SolverSettings = {
    rtol,
    atol,
    maxSteps,
    safety,
    minFactor,
    maxFactor,
    proportional,
    integral,
    ...(firstStep !== undefined && { firstStep }),
  };
  const keepsFirst = tableau.firstSameAsLast === true;

  const scaled = (error: OdeState, y: OdeState, y1: OdeState, given: Settings): OdeState =>
    mapState((e, a, b) => e.div(given['atol'].add(given['rtol'].mul(maximum(a.abs(), b.abs())))), error, y, y1);

  /** Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, section II.4. */
  function initialStep(problem: OdeProblem, y: OdeState, f0: OdeState, given: Settings): Tensor {
    const norm = (state: OdeState): Tensor => rootMeanSquare(scaled(state, y, y, given), problem.mask, perSample);
    const span = problem.end.sub(problem.start).abs();
    const smallest = smallestStep(problem, problem.start);
    // If norms overflow, or the field is finite at the start but not at the first guess, the smallest step is tried first.
    const bounded = (size: Tensor): Tensor => maximum(minimum(where(isFinite(size), size, smallest), span), smallest);
    const d0 = norm(y);
    const d1 = norm(f0);
    const guess = bounded(where(less(minimum(d0, d1), 1e-5), 1e-6, d0.div(maximum(d1, 1e-5)).mul(0.01)));
    const signed = guess.mul(direction(problem));
    const ahead = mapState((value, rate) => value.add(rate.mul(controlAgainst(signed, value))), y, f0);
    const t1 = problem.start.add(signed);
    const f1 = problem.field(expand(t1, problem.mask.shape), ahead);
    const d2 = norm(mapState((a, b) => b.sub(a), f0, f1)).div(guess);
    const steepest = maximum(d1, d2);
    const refined = where(
      less(steepest, 1e-15),
      maximum(guess.mul(1e-3), 1e-6),
      maximum(steepest, 1e-15)
        .pow(-1 / k)
        .mul(0.01 ** (1 / k)),
    );
    return bounded(minimum(guess.mul(100), refined));
  }

  /** Samples that prevent a step, because its result for them is not finite. */
  function obstacle(problem: OdeProblem, ...states: readonly OdeState[]): { broken: Tensor; brokenRow?: Tensor } {
    const rows = brokenRows(problem.mask, ...states);
    if (perSample) return { broken: rows };
    const brokenRow = firstRow(rows);
    return { broken: less(brokenRow, problem.mask.size), brokenRow };
  }

  return {
    name,
    order: tableau.order,
    adaptive: true,
    maxSteps,
    settings,
    start(problem, y, given) {
      const control = perSample ? problem.mask.size : 1;
      const t = expand(reshape(problem.start, [1]), [control]);
      const needed = keepsFirst || firstStep === undefined;
      const first = needed ? problem.field(expand(t, problem.mask.shape), y) : undefined;
      const size =
        firstStep === undefined
          ? initialStep(problem, y, first!, given)
          : maximum(
              minimum(given['firstStep'], problem.end.sub(problem.start).abs()),
              smallestStep(problem, problem.start),
            );
      const evaluations = (needed ? 1 : 0) + (firstStep === undefined ? 1 : 0);
      // Without a derivative at the start, no step can succeed.
      const { broken, brokenRow } = obstacle(problem, first ?? y);
      const begun = where(broken, status(solverStatus.nonFinite), status(solverStatus.running));
      return {
        y,
        t,
        h: expand(size.mul(direction(problem)), [control]),
        // Padding is finished from the start.
        status: perSample ? where(problem.mask.equal(0), status(solverStatus.done), begun) : begun,
        ...(brokenRow && { brokenRow }),
        evaluations: full([control], evaluations, 'i32'),
        accepted: count(control),
        rejected: count(control),
        error: zeros([control]),
        memory: { previousError: full([control], 1), ...(keepsFirst && { firstStage: first! }) } satisfies Memory,
      };
    },
    step(problem, state, given, { dense } = {}): SolveStep {
      const { previousError, firstStage } = state.memory as Memory;
      const running = state.status.equal(solverStatus.running);
      const remaining = problem.end.sub(state.t);
      // A step that ends within 0.1 % of the end is stretched to reach it, so that no tiny step is left over.
      const last = less(remaining.abs(), state.h.abs().mul(1.001));
      const tNext = where(last, problem.end, state.t.add(state.h));
      // The difference of two representable times: t + h is rounded, and a step over the unrounded h would be off by as much.
      const h = tNext.sub(state.t);
      const stages = evaluateStages(tableau, problem, state.y, { t: state.t, h, tEnd: tNext }, firstStage);
      const estimate = mapState(
        (value, ...rates) => linearCombination(embedded.errorWeights, rates).mul(controlAgainst(h, value)),
        state.y,
        ...stages.derivatives,
      );
      const error = rootMeanSquare(scaled(estimate, state.y, stages.y, given), problem.mask, perSample);
      const { broken, brokenRow } = obstacle(problem, estimate, stages.y);
      const finite = and(isFinite(error), not(broken));
      const accepted = and(running, and(finite, error.lessOrEqual(1)));
      const rejected = and(running, not(accepted));

      const bounded = where(finite, maximum(error, 1e-10), 1);
      const exponent = given['proportional'].add(given['integral']).div(-k);
      const ideal = given['safety'].mul(bounded.pow(exponent)).mul(previousError.pow(given['proportional'].div(k)));
      const largest = where(accepted, given['maxFactor'], 1);
      const factor = where(finite, maximum(minimum(ideal, largest), given['minFactor']), given['minFactor']);
      const nextSize = h.abs().mul(factor);

      const tried = state.accepted.add(state.rejected).add(1).cast('f32');
      const smallest = smallestStep(problem, tNext);
      const vanished = and(rejected, less(nextSize, smallest));
      const nextH = maximum(nextSize, smallest).mul(direction(problem));
      const exhausted = less(given['maxSteps'].sub(0.5), tried);
      const ended = where(
        and(accepted, last),
        status(solverStatus.done),
        where(
          vanished,
          where(broken, status(solverStatus.nonFinite), status(solverStatus.underflow)),
          where(exhausted, status(solverStatus.maxSteps), status(solverStatus.running)),
        ),
      );
      const evaluated = tableau.nodes.length - (keepsFirst ? 1 : 0) + denseCost(tableau, dense);
      const lastRates = stages.derivatives.at(-1)!;
      return {
        state: {
          y: selectState(accepted, stages.y, state.y),
          t: where(accepted, tNext, state.t),
          h: where(running, nextH, state.h),
          status: where(running, ended, state.status),
          evaluations: state.evaluations.add(where(running, status(evaluated), 0)),
          accepted: state.accepted.add(accepted.cast('i32')),
          rejected: state.rejected.add(rejected.cast('i32')),
          error: where(running, error, state.error),
          ...(brokenRow && { brokenRow: where(running, brokenRow, state.brokenRow!) }),
          memory: {
            previousError: where(accepted, bounded, previousError),
            ...(firstStage && { firstStage: selectState(accepted, lastRates, firstStage) }),
          } satisfies Memory,
        },
        ...(dense && { interpolate: interpolation(tableau, problem, state.y, h, tNext, stages) }),
      };
    },
  };
}

/** Smaller steps from t are lost in the rounding of t. */
const smallestStep = ({ start, end }: OdeProblem, t: Tensor): Tensor =>
  maximum(t.abs(), end.sub(start).abs()).mul(4 * 2 ** -24);

function checkTolerances(
  name: string,
  {
    rtol,
    atol,
    maxSteps = 1,
    safety = 1,
    minFactor = 0.2,
    maxFactor = 10,
    proportional = 0,
    integral = 0,
    firstStep = 1,
  }: AdaptiveOptions,
): void {
  const refuse = (option: string, actual: number, expected: string): never => {
    throw new OptionError(`The solver '${name}' refuses its option '${option}' = ${actual}.`, { actual, expected });
  };
  for (const [option, value] of Object.entries({ rtol, atol, proportional, integral }))
    // They are inputs of the compiled step, in f32.
    if (!(value >= 0 && Number.isFinite(Math.fround(value))))
      refuse(option, value, 'a number of 0 or more that f32 holds');
  if (rtol + atol === 0) refuse('atol', atol, 'rtol or atol above 0');
  checkInteger(`The solver '${name}' refuses its option 'maxSteps' = ${maxSteps}.`, maxSteps);
  if (!(safety > 0 && safety <= 1)) refuse('safety', safety, 'a number in (0, 1]');
  if (!(minFactor > 0 && minFactor < 1)) refuse('minFactor', minFactor, 'a number in (0, 1)');
  if (!(maxFactor > 1)) refuse('maxFactor', maxFactor, 'a number above 1');
  if (!(firstStep > 0)) refuse('firstStep', firstStep, 'a number above 0');
}
