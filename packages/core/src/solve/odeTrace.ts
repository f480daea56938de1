import {
  solverStatus,
  type OdeProblem,
  type OdeState,
  type ScaledScore,
  type Solver,
  type SolverState,
} from '../contracts/solver.ts';
import {
  type Symbolic,
  type Tensor,
  type Tree,
  TracedProgram,
  sign,
  constant,
  and,
  less,
  not,
  where,
  expand,
  reshape,
  Random,
  streams,
  type TensorType,
} from '@flow-matching/tensor';
import { brokenRows, firstRow, mapState } from './odeState.ts';

type Tensors = Readonly<Record<string, Tensor>>;
export type Types = Readonly<Record<string, TensorType>>;

/** A differential equation over batches of `rows` samples, with the values that its formulas need. */
export interface OdeDefinition<
  Arrays extends Tree<TensorType> = Types,
  Inputs extends Tree<TensorType> = Types,
  Constants extends Tree<Tensor> = Tree<Tensor>,
> {
  readonly rows: number;
  /** Types of arrays that are constant over many solves (parameters). */
  readonly arrays: Arrays;
  /** Types of the inputs of each solve. */
  readonly inputs: Inputs;
  /** The initial state, and values that the field needs and that are computed once per solve (probe vectors, conditions), each [rows, ...]. */
  begin(inputs: Symbolic<Inputs>, arrays: Symbolic<Arrays>): { readonly y: OdeState; readonly constants?: Constants };
  /** dy/dt. The number of rows is that of its arguments: finished samples may have been removed. */
  readonly field: (t: Tensor, y: OdeState, arrays: Symbolic<Arrays>, constants: Constants) => OdeState;
  /** The score by component, for stochastic solvers. See {@link OdeProblem.score}. */
  readonly score?: (t: Tensor, y: OdeState, velocity: OdeState) => Readonly<Record<string, ScaledScore>>;
  /** Number of times at which the state is kept. Default 0. */
  readonly keptTimes?: number;
}

/** A definition of any nesting. */
export type AnyOdeDefinition = OdeDefinition<Tree<TensorType>, Tree<TensorType>>;

/** What both programs of a solve are given: types, symbols or arrays. */
type SharedArgument<Leaf> = {
  readonly arrays: Tree<Leaf>;
  readonly mask: Leaf;
  readonly start: Leaf;
  readonly end: Leaf;
  readonly settings: Readonly<Record<string, Leaf>>;
};

/** What steps update. */
export type Carried<Leaf> = {
  readonly state: SolverState<Leaf>;
  /** The states at the kept times, if there are any. */
  readonly kept?: Readonly<Record<string, Leaf>>;
};

/** Where the steps of a solve begin. Steps only read the constants. */
export type Begun<Leaf> = Carried<Leaf> & { readonly constants: Tree<Leaf> };

export type StartArgument<Leaf> = SharedArgument<Leaf> & { readonly inputs: Tree<Leaf> };

export type StepArgument<Leaf> = SharedArgument<Leaf> &
  Begun<Leaf> & {
    /** [count]. */
    readonly times?: Leaf;
    /** Of a stochastic solver: the seed, the batch's first sample, the number of the step. */
    readonly seed?: { readonly key: Leaf; readonly firstSample: Leaf; readonly step: Leaf };
  };

const scalar: TensorType = { shape: [], dtype: 'f32' };

function signature(solver: Solver, { arrays }: AnyOdeDefinition, rows: number): SharedArgument<TensorType> {
  const settings = Object.entries(solver.settings).map(([name, value]): [string, TensorType] => [
    name,
    typeof value === 'number' ? scalar : { shape: [value.length], dtype: 'f32' },
  ]);
  return {
    arrays,
    mask: { shape: [rows], dtype: 'f32' },
    start: scalar,
    end: scalar,
    settings: Object.fromEntries(settings),
  };
}

const problemOf = (
  { field, score }: AnyOdeDefinition,
  { mask, start, end, arrays }: SharedArgument<Tensor>,
  constants: Tree<Tensor>,
): OdeProblem => ({
  mask,
  start,
  end,
  field: (t, y) => field(t, y, arrays, constants),
  ...(score && { score }),
});

const seedTypes: NonNullable<StepArgument<TensorType>['seed']> = {
  key: { shape: [2], dtype: 'u32' },
  firstSample: { shape: [], dtype: 'u32' },
  step: { shape: [], dtype: 'u32' },
};

/** The program from the inputs of a solve to where its steps begin. */
export const traceStart = (
  solver: Solver,
  definition: AnyOdeDefinition,
): TracedProgram<StartArgument<TensorType>, Begun<Tensor>> => {
  const { rows, keptTimes = 0 } = definition;
  return new TracedProgram<StartArgument<TensorType>, Begun<Tensor>>(
    ({ inputs, ...given }) => {
      const { y, constants = {} } = definition.begin(inputs, given.arrays);
      const problem = problemOf(definition, given, constants);
      const state = endWhereBroken(solver.start(problem, y, given.settings), problem);
      const kept = mapState(
        (value) => expand(reshape(value, value.shape.toSpliced(1, 0, 1)), value.shape.toSpliced(1, 0, keptTimes)),
        y,
      );
      return { state, constants, ...(keptTimes > 0 && { kept }) };
    },
    { ...signature(solver, definition, rows), inputs: definition.inputs },
  );
};

/** The program of one attempted step of `rows` samples. What it updates is donated. */
export function traceStep(
  solver: Solver,
  definition: AnyOdeDefinition,
  begun: Begun<TensorType>,
  rows: number,
): TracedProgram<StepArgument<TensorType>, Carried<Tensor>> {
  const { keptTimes = 0 } = definition;
  return new TracedProgram<StepArgument<TensorType>, Carried<Tensor>>(
    ({ state, kept, constants, times, seed, ...given }) => {
      const problem = problemOf(definition, given, constants);
      const random = seed && new Random(seed, streams.solving);
      const made = solver.step(problem, state, given.settings, { dense: keptTimes > 0, ...(random && { random }) });
      return {
        state: endWhereBroken(made.state, problem),
        ...(kept && times && { kept: keepStates(kept, made.interpolate!, state, made.state, times, problem) }),
      };
    },
    {
      ...signature(solver, definition, rows),
      ...begun,
      ...(solver.stochastic && { seed: seedTypes }),
      ...(keptTimes > 0 && { times: { shape: [keptTimes], dtype: 'f32' as const } }),
    },
    { donate: ['state', ...(begun.kept ? ['kept'] : [])] },
  );
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
