import type { Backend, BackendArray, Executable, NamedArrays, RunInputs } from '../backend/backend.ts';
import { SolverError } from '../errors.ts';
import { solverStatus, type OdeProblem, type OdeState, type Solver, type SolverState, type SolverStatus } from '../contracts/solver.ts';
import { trace } from '../graph/trace.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Tree } from '../graph/tree.ts';
import { and, less, not, where } from '../operators/logic.ts';
import { expand, reshape } from '../operators/movement.ts';
import { sign } from '../operators/arithmetic.ts';
import { hostArray, hostScalar, type HostArray } from '../tensor/hostArray.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import type { TensorType } from '../tensor/shape.ts';
import { mapState } from './odeState.ts';

type Tensors = Readonly<Record<string, Tensor>>;
type Types = Readonly<Record<string, TensorType>>;

/** A differential equation over batches of `rows` samples, with what its formulas need. */
export interface OdeDefinition {
  readonly rows: number;
  /** Arrays that stay the same over many solves (parameters): their types, by name. */
  readonly arrays: Types;
  /** What each solve starts from, by name. */
  readonly inputs: Types;
  /** The initial state, and whatever the field needs that is computed once a solve (probe vectors, conditions). */
  begin(inputs: Tensors, arrays: Tensors): { readonly y: OdeState; readonly constants?: Tensors };
  field(t: Tensor, y: OdeState, arrays: Tensors, constants: Tensors): OdeState;
  /** Number of times at which the state is kept on the way. Default 0. */
  readonly keptTimes?: number;
}

export interface OdeRunOptions {
  readonly start: number;
  readonly end: number;
  /** Samples that count; the rest of the rows is padding. Default all. */
  readonly count?: number;
  /** Times to keep the state at: as many as the definition's `keptTimes`. */
  readonly times?: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** Called after each attempted step with the time reached by the slowest sample. */
  readonly onStep?: ((t: number) => void) | undefined;
}

export interface OdeResult {
  /** The final state, [rows, ...] each. */
  readonly y: Readonly<Record<string, HostArray>>;
  /** The state at the kept times, [rows, times, ...] each. */
  readonly kept?: Readonly<Record<string, HostArray>>;
  readonly status: readonly SolverStatus[];
  /** Per control row: one where the batch shares its steps. */
  readonly t: TypedArray;
  readonly evaluations: TypedArray;
  readonly accepted: TypedArray;
  readonly rejected: TypedArray;
  readonly error: TypedArray;
  readonly h: TypedArray;
}

interface Signature {
  readonly arrays: Types;
  readonly mask: TensorType;
  readonly start: TensorType;
  readonly end: TensorType;
  readonly settings: Types;
}

/** Names of the step's carried values start with these. */
const statePrefix = 'state.';
const keptPrefix = 'kept.';

/** The two compiled programs of one solver on one differential equation, and the loop that runs them. */
export class OdeProgram {
  readonly #solver: Solver;
  readonly #definition: OdeDefinition;
  readonly #start: Executable;
  readonly #step: Executable;

  private constructor(solver: Solver, definition: OdeDefinition, start: Executable, step: Executable) {
    this.#solver = solver;
    this.#definition = definition;
    this.#start = start;
    this.#step = step;
  }

  static async compile(backend: Backend, solver: Solver, definition: OdeDefinition): Promise<OdeProgram> {
    const { rows, keptTimes = 0 } = definition;
    const scalar: TensorType = { shape: [], dtype: 'f32' };
    const signature: Signature = {
      arrays: definition.arrays,
      mask: { shape: [rows], dtype: 'f32' },
      start: scalar,
      end: scalar,
      settings: Object.fromEntries(
        Object.entries(solver.settings).map(([name, value]) => [name, typeof value === 'number' ? scalar : { shape: [value.length], dtype: 'f32' as const }]),
      ),
    };
    const problem = (given: { mask: Tensor; start: Tensor; end: Tensor; arrays: Tensors }, constants: Tensors): OdeProblem => ({
      mask: given.mask,
      start: given.start,
      end: given.end,
      field: (t, y) => definition.field(t, y, given.arrays, constants),
    });

    const start = trace((given) => {
      const { y, constants = {} } = definition.begin(given.inputs as Tensors, given.arrays as Tensors);
      const state = solver.start(problem(given as never, constants), y, given.settings as Tensors);
      const kept = keptTimes > 0 ? mapState((value) => expand(reshape(value, value.shape.toSpliced(1, 0, 1)), value.shape.toSpliced(1, 0, keptTimes)), y) : undefined;
      return { state: state as unknown as Tree<Tensor>, constants, kept };
    }, { ...signature, inputs: definition.inputs });

    const carried = Object.fromEntries(start.outputs.map(({ name, tensor }) => [name, { shape: tensor.shape, dtype: tensor.dtype }]));
    const step = trace(
      (given) => {
        const values = given.carried as Tensors;
        const constants = pick(values, 'constants.');
        const state = unflattenState(pick(values, statePrefix));
        const ode = problem(given as never, constants);
        const made = solver.step(ode, state, given.settings as Tensors, { dense: keptTimes > 0 });
        const kept = keptTimes > 0 ? keepStates(pick(values, keptPrefix), made.interpolate!, state, made.state, given.times as Tensor, ode) : undefined;
        return { state: made.state as unknown as Tree<Tensor>, kept };
      },
      { ...signature, carried, ...(keptTimes > 0 && { times: { shape: [keptTimes], dtype: 'f32' as const } }) },
    );
    const aliases = step.outputs.map(({ name }) => [`carried.${name}`, name] as const);
    return new OdeProgram(solver, definition, await backend.compile(start), await backend.compile(step, { aliases }));
  }

  /**
   * Integrates from `start` to `end`.
   *
   * @throws SolverError where a sample's step size vanishes or its derivative is not finite, with the time, the step and the error
   *   there; the abort reason where `signal` fires between steps.
   */
  async run(arrays: NamedArrays, inputs: RunInputs, options: OdeRunOptions): Promise<OdeResult> {
    const { rows } = this.#definition;
    const { count = rows, times, signal, onStep } = options;
    const shared: Record<string, BackendArray | HostArray> = {
      ...prefixAll('arrays.', arrays),
      mask: hostArray(Float32Array.from({ length: rows }, (_, i) => (i < count ? 1 : 0)), [rows]),
      start: hostScalar(options.start),
      end: hostScalar(options.end),
      ...Object.fromEntries(Object.entries(this.#solver.settings).map(([name, value]) => [`settings.${name}`, typeof value === 'number' ? hostScalar(value) : hostArray(value)])),
    };
    signal?.throwIfAborted();
    const begun = await this.#start.run({ ...shared, ...prefixAll('inputs.', inputs) });
    const constants = Object.entries(begun).filter(([name]) => name.startsWith('constants.'));
    let carried: Record<string, BackendArray> = Object.fromEntries(Object.entries(begun).filter(([name]) => !name.startsWith('constants.')));
    const fixed = { ...shared, ...prefixAll('carried.', Object.fromEntries(constants)), ...(times && { times: hostArray(times) }) };
    try {
      while (await this.#running(carried)) {
        signal?.throwIfAborted();
        carried = await this.#step.run({ ...fixed, ...prefixAll('carried.', carried) });
        if (onStep) onStep(slowest(await carried[`${statePrefix}t`].read(), options));
      }
      return await this.#result(carried, options);
    } finally {
      for (const array of [...Object.values(carried), ...constants.map(([, array]) => array)]) array.dispose();
    }
  }

  async #running(carried: NamedArrays): Promise<boolean> {
    return (await carried[`${statePrefix}status`].read()).includes(solverStatus.running);
  }

  async #result(carried: NamedArrays, options: OdeRunOptions): Promise<OdeResult> {
    const read = async (name: string): Promise<TypedArray> => carried[statePrefix + name].read();
    const host = async (array: BackendArray): Promise<HostArray> => ({ data: await array.read(), shape: array.shape, dtype: array.dtype });
    const hosts = async (prefix: string): Promise<Record<string, HostArray>> =>
      Object.fromEntries(await Promise.all(Object.entries(pick(carried, prefix)).map(async ([name, array]) => [name, await host(array)] as const)));
    const names = Object.keys(solverStatus) as SolverStatus[];
    const codes = await read('status');
    const [t, evaluations, accepted, rejected, error, h] = await Promise.all(['t', 'evaluations', 'accepted', 'rejected', 'error', 'h'].map(read));
    const status = Array.from(codes, (code) => names.find((name) => solverStatus[name] === code)!);
    const y = await hosts(`${statePrefix}y.`);
    const failed = status.findIndex((name) => name === 'underflow' || name === 'nonFinite');
    if (failed >= 0) {
      const problem = status[failed] === 'nonFinite' ? 'The vector field is not finite' : 'The step size vanished before the tolerance was met';
      throw new SolverError(
        `${problem} at t = ${t[failed].toPrecision(7)}${status.length > 1 ? ` (sample ${failed})` : ''}: step ${h[failed].toExponential(2)} after ${accepted[failed]} accepted and ${rejected[failed]} rejected steps, error ${error[failed].toPrecision(3)} × tolerance.`,
        {
          actual: { t: t[failed], step: h[failed], errorNorm: error[failed], sample: failed, lastState: y },
          expected: `${this.#solver.name} to reach t = ${options.end}`,
          remedy: 'Loosen rtol and atol, use another solver, or train the model further.',
        },
      );
    }
    const kept = await hosts(keptPrefix);
    return { y, ...(Object.keys(kept).length > 0 && { kept }), status, t, evaluations, accepted, rejected, error, h };
  }

  async dispose(): Promise<void> {
    await this.#start.dispose();
    await this.#step.dispose();
  }
}

/** Writes the interpolated state into the slots of those times that the accepted step has just passed. */
function keepStates(kept: Tensors, interpolate: (theta: Tensor) => OdeState, before: SolverState, after: SolverState, times: Tensor, { start, end }: OdeProblem): Tensors {
  const column = (control: Tensor): Tensor => reshape(control, [control.size, 1]);
  const forward = sign(end.sub(start));
  const ahead = (of: Tensor): Tensor => less(0, times.sub(column(of)).mul(forward));
  const passed = and(ahead(before.t), not(ahead(after.t)));
  const step = column(after.t.sub(before.t));
  const theta = times.sub(column(before.t)).div(where(step.equal(0), 1, step));
  const spread = (of: Tensor, slot: Tensor): Tensor => reshape(of, [...of.shape, ...slot.shape.slice(2).map(() => 1)]);
  // At the step's end the solution itself is kept, not the interpolant's rounding of it.
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

function slowest(t: TypedArray, { start, end }: OdeRunOptions): number {
  return Array.from(t).reduce((least, time) => (Math.abs(end - time) > Math.abs(end - least) ? time : least), start === end ? start : end);
}

const prefixAll = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));

const pick = <T>(values: Readonly<Record<string, T>>, prefix: string): Record<string, T> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

/** The state's own nesting from its dotted names. */
function unflattenState(values: Tensors): SolverState {
  return { ...values, y: pick(values, 'y.'), memory: pick(values, 'memory.') } as unknown as SolverState;
}
