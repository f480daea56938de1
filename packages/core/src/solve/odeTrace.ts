import {
  solverStatus,
  type OdeProblem,
  type OdeState,
  type ScaledScore,
  type Solver,
  type SolverState,
} from '../contracts/solver.ts';
import {
  type Graph,
  type Tensor,
  trace,
  type Tree,
  sign,
  constant,
  and,
  less,
  not,
  where,
  expand,
  reshape,
  Random,
  type RandomPosition,
  streams,
  type TensorType,
} from '@flow-matching/tensor';
import { brokenRows, firstRow, mapState } from './odeState.ts';

type Tensors = Readonly<Record<string, Tensor>>;
export type Types = Readonly<Record<string, TensorType>>;

/** A differential equation over batches of `rows` samples, with the values that its formulas need. */
export interface OdeDefinition {
  readonly rows: number;
  /** Types, by name, of arrays that are constant over many solves (parameters). */
  readonly arrays: Types;
  /** Types, by name, of the inputs of each solve. */
  readonly inputs: Types;
  /** The initial state, and values that the field needs and that are computed once per solve (probe vectors, conditions), each [rows, ...]. */
  begin(inputs: Tensors, arrays: Tensors): { readonly y: OdeState; readonly constants?: Tensors };
  /** dy/dt. The number of rows is that of its arguments: finished samples may have been removed. */
  readonly field: (t: Tensor, y: OdeState, arrays: Tensors, constants: Tensors) => OdeState;
  /** The score by component, for stochastic solvers. See {@link OdeProblem.score}. */
  readonly score?: (t: Tensor, y: OdeState, velocity: OdeState) => Readonly<Record<string, ScaledScore>>;
  /** Number of times at which the state is kept. Default 0. */
  readonly keptTimes?: number;
}

/** The values that a step carries, by prefix: the solver's state, the kept states, and constants, which it only reads. */
export const carriedPrefix = { state: 'state.', kept: 'kept.', constants: 'constants.' } as const;

interface Given {
  readonly arrays: Tensors;
  readonly mask: Tensor;
  readonly start: Tensor;
  readonly end: Tensor;
  readonly settings: Tensors;
  readonly inputs: Tensors;
  readonly carried: Tensors;
  readonly times: Tensor;
  readonly seed: RandomPosition;
}

const scalar: TensorType = { shape: [], dtype: 'f32' };

function signature(solver: Solver, { arrays }: OdeDefinition, rows: number) {
  const settings = Object.entries(solver.settings).map(
    ([name, value]) => [name, typeof value === 'number' ? scalar : { shape: [value.length], dtype: 'f32' }] as const,
  );
  return {
    arrays,
    mask: { shape: [rows], dtype: 'f32' as const },
    start: scalar,
    end: scalar,
    settings: Object.fromEntries(settings) as Types,
  };
}

const problemOf = (
  { field, score }: OdeDefinition,
  { mask, start, end, arrays }: Given,
  constants: Tensors,
): OdeProblem => ({
  mask,
  start,
  end,
  field: (t, y) => field(t, y, arrays, constants),
  ...(score && { score }),
});

/** The position of a stochastic step's draws: the seed, the batch's first sample, the number of the step. */
const seedTypes = {
  key: { shape: [2], dtype: 'u32' },
  firstSample: { shape: [], dtype: 'u32' },
  step: { shape: [], dtype: 'u32' },
} as const;

/** The program that computes the first carried values from the inputs of a solve. */
export function traceStart(solver: Solver, definition: OdeDefinition): Graph {
  const { rows, keptTimes = 0, inputs } = definition;
  const formula = (given: Given): Tree<Tensor> => {
    const { y, constants = {} } = definition.begin(given.inputs, given.arrays);
    const problem = problemOf(definition, given, constants);
    const state = endWhereBroken(solver.start(problem, y, given.settings), problem);
    const kept = mapState(
      (value) => expand(reshape(value, value.shape.toSpliced(1, 0, 1)), value.shape.toSpliced(1, 0, keptTimes)),
      y,
    );
    return { state: state as unknown as Tree<Tensor>, constants, ...(keptTimes > 0 && { kept }) };
  };
  return trace(formula as never, { ...signature(solver, definition, rows), inputs });
}

/** The program of one attempted step, from carried values to carried values, without the constants. */
export function traceStep(solver: Solver, definition: OdeDefinition, carried: Types, rows: number): Graph {
  const { keptTimes = 0 } = definition;
  const formula = (given: Given): Tree<Tensor> => {
    const problem = problemOf(definition, given, pick(given.carried, carriedPrefix.constants));
    const state = unflattenState(pick(given.carried, carriedPrefix.state));
    const random = solver.stochastic ? new Random(given.seed, streams.solving) : undefined;
    const made = solver.step(problem, state, given.settings, { dense: keptTimes > 0, ...(random && { random }) });
    const kept =
      keptTimes > 0
        ? keepStates(
            pick(given.carried, carriedPrefix.kept),
            made.interpolate!,
            state,
            made.state,
            given.times,
            problem,
          )
        : undefined;
    return { state: endWhereBroken(made.state, problem) as unknown as Tree<Tensor>, kept };
  };
  return trace(formula as never, {
    ...signature(solver, definition, rows),
    carried,
    ...(solver.stochastic && { seed: seedTypes }),
    ...(keptTimes > 0 && { times: { shape: [keptTimes], dtype: 'f32' as const } }),
  });
}

/**
 * Ends solves whose state is no longer finite, for every solver: the carried time is then the first at which it is not finite,
 * and the carried state shows which samples are affected.
 */
function endWhereBroken(state: SolverState, { mask }: OdeProblem): SolverState {
  const rows = brokenRows(mask, state.y);
  const perSample = state.status.size === mask.size;
  const broken = perSample ? rows : less(firstRow(rows), mask.size);
  return { ...state, status: where(broken, constant(solverStatus.nonFinite, 'i32'), state.status) };
}

/** Writes the interpolated state into the slots of the times that the accepted step has just passed. */
function keepStates(
  kept: Tensors,
  interpolate: (theta: Tensor) => OdeState,
  before: SolverState,
  after: SolverState,
  times: Tensor,
  { start, end }: OdeProblem,
): Tensors {
  const column = (control: Tensor): Tensor => reshape(control, [control.size, 1]);
  const forward = sign(end.sub(start));
  const ahead = (of: Tensor): Tensor => less(0, times.sub(column(of)).mul(forward));
  const passed = and(ahead(before.t), not(ahead(after.t)));
  const step = column(after.t.sub(before.t));
  const theta = times.sub(column(before.t)).div(where(step.equal(0), 1, step));
  const spread = (of: Tensor, slot: Tensor): Tensor => reshape(of, [...of.shape, ...slot.shape.slice(2).map(() => 1)]);
  // At the step's end the solution itself is kept, not the interpolant's rounded value.
  const atEnd = theta.equal(1);
  return mapState(
    (slot, between, solution) => {
      const reached = reshape(solution, solution.shape.toSpliced(1, 0, 1));
      return where(spread(passed, slot), where(spread(atEnd, slot), reached, between), slot);
    },
    kept,
    interpolate(theta),
    after.y,
  );
}

/** Values whose names start with `prefix`, with the prefix removed. */
export const pick = <T>(values: Readonly<Record<string, T>>, prefix: string): Record<string, T> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

/** Restores the nesting of the state from dotted names. */
function unflattenState(values: Tensors): SolverState {
  const plain = Object.entries(values).filter(([name]) => !name.includes('.'));
  return {
    ...Object.fromEntries(plain),
    y: pick(values, 'y.'),
    memory: pick(values, 'memory.'),
  } as unknown as SolverState;
}
