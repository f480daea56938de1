import {
  type Backend,
  type ArgumentArrays,
  type BackendArray,
  type MapTree,
  type Program,
  type Tensor,
  type TensorType,
  type Tree,
  type Unbound,
  OptionError,
  flattenTree,
  mapTree,
  mapTrees,
  readTree,
  yieldToEventLoop,
  seedArray,
  type TypedArray,
  hostArray,
  hostScalar,
  type HostArray,
} from '@flow-matching/tensor';
import { solverStatus, type Solver, type SolverStatus } from '../contracts/solver.ts';
import { checkInterval, checkResolution } from './checkRun.ts';
import { compactedRows, putRows, takeRows } from './compaction.ts';
import { OdeGraphs } from './odeGraphs.ts';
import type { Begun, Carried, OdeDefinition, StartArgument, StepArgument, Types } from './odeTrace.ts';
import { requireFinite } from './requireFinite.ts';

export interface OdeRunOptions {
  readonly start: number;
  readonly end: number;
  /** Number of samples; the remaining rows are padding. Default: all rows. */
  readonly count?: number;
  /** Times in the interval at which to keep the state, as many as the definition's `keptTimes`. */
  readonly times?: readonly number[];
  /** Seed of the draws of a stochastic solver. */
  readonly seed?: number;
  /** Index of the first row among all requested samples. Draws depend on it, and errors use it to name samples. Default 0. */
  readonly firstSample?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Called after each attempted step with the fraction of the solve that is done, from 0 to 1: of the steps if their number is
   * known, else of the interval, for the slowest sample.
   */
  readonly onStep?: ((share: number) => void) | undefined;
}

export interface OdeResult {
  /** The final state, each [rows, ...]. */
  readonly y: Readonly<Record<string, HostArray>>;
  /** The state at the kept times, each [rows, times, ...]. If a solve ended at maxSteps, times beyond its `t` contain the initial state. */
  readonly kept?: Readonly<Record<string, HostArray>>;
  readonly status: readonly SolverStatus[];
  /** One per control row; a single one if the batch shares its steps. */
  readonly t: TypedArray;
  readonly evaluations: TypedArray;
  readonly accepted: TypedArray;
  readonly rejected: TypedArray;
  readonly error: TypedArray;
  readonly h: TypedArray;
  /** Cost of the solve: computed rows × attempted steps, including finished samples. */
  readonly rowSteps: number;
}

type Step = Program<StepArgument<TensorType>, Carried<Tensor>>;
type BoundTypes = Unbound<StepArgument<TensorType>, { readonly arrays: Tree<BackendArray> }>;
type Fixed = Omit<ArgumentArrays<BoundTypes>, 'state' | 'kept' | 'constants' | 'seed'>;

/** A batch of a running solve. Finished rows may have been removed from it. */
interface Batch {
  readonly rows: number;
  /** The index of each row in the whole batch, without padding. */
  readonly indices: ArrayLike<number> | undefined;
  /** Bound to the arrays of the solve. */
  readonly step: Program<BoundTypes, Carried<Tensor>>;
  readonly fixed: Fixed;
  readonly constants: Tree<BackendArray>;
  carried: Carried<BackendArray>;
}

/** The parts of a backend that a program uses. */
type OdeBackend = Pick<Backend, 'array' | 'compile'>;

/** The compiled programs of one solver on one differential equation, and the loop that runs them. */
export class OdeProgram<Arrays extends Tree<TensorType> = Types, Inputs extends Tree<TensorType> = Types> {
  readonly #backend: OdeBackend;
  readonly #graphs: OdeGraphs;
  readonly #solver: Solver;
  readonly #start: Program<StartArgument<TensorType>, Begun<Tensor>>;
  /** Step programs by row count. */
  readonly #steps = new Map<number, Promise<Step>>();

  private constructor(
    backend: OdeBackend,
    graphs: OdeGraphs,
    start: Program<StartArgument<TensorType>, Begun<Tensor>>,
  ) {
    this.#backend = backend;
    this.#graphs = graphs;
    this.#solver = graphs.solver;
    this.#start = start;
  }

  /** Traces and compiles both programs. */
  static compile<Arrays extends Tree<TensorType>, Inputs extends Tree<TensorType>, Constants extends Tree<Tensor>>(
    backend: OdeBackend,
    solver: Solver,
    definition: OdeDefinition<Arrays, Inputs, Constants>,
  ): Promise<OdeProgram<Arrays, Inputs>> {
    return OdeProgram.compileTraced(backend, OdeGraphs.of(solver, definition));
  }

  /** Compiles programs that are traced already, or will be on first use. */
  static async compileTraced<Arrays extends Tree<TensorType>, Inputs extends Tree<TensorType>>(
    backend: OdeBackend,
    graphs: OdeGraphs,
  ): Promise<OdeProgram<Arrays, Inputs>> {
    const program = new OdeProgram<Arrays, Inputs>(backend, graphs, await graphs.start.compile(backend));
    try {
      await program.#step(graphs.definition.rows);
      return program;
    } catch (error) {
      await program.dispose();
      throw error;
    }
  }

  /** The step for batches of `rows`, compiled on first use. */
  #step(rows: number): Promise<Step> {
    let step = this.#steps.get(rows);
    if (!step) {
      step = this.#graphs.step(rows).compile(this.#backend);
      this.#steps.set(rows, step);
    }
    return step;
  }

  /**
   * Integrates from `start` to `end`. If each sample has its own steps, finished samples are removed once they are half of the
   * batch, so that they cost nothing while the others continue. A solver that is not adaptive runs its steps without reading
   * the state in between.
   *
   * @throws SolverError if a sample's step size vanishes, or its state or derivative is not finite, with the time, the sample,
   *   the step and the error; OptionError for an interval that is empty or not finite, kept times outside it, and tolerances
   *   below the resolution of the backend's floats; the abort reason if `signal` fires between steps.
   */
  async run(
    arrays: MapTree<Arrays, TensorType, BackendArray>,
    inputs: ArgumentArrays<Inputs>,
    options: OdeRunOptions,
  ): Promise<OdeResult> {
    const { rows } = this.#graphs.definition;
    const { count = rows, times, signal, onStep } = options;
    checkInterval(options);
    await checkResolution(this.#solver, this.#backend);
    const seed = this.#solver.stochastic ? this.#seed(options) : undefined;
    const settings = Object.entries(this.#solver.settings).map(
      ([name, value]) => [name, typeof value === 'number' ? hostScalar(value) : hostArray(value)] as const,
    );
    const shared = {
      start: hostScalar(options.start),
      end: hostScalar(options.end),
      settings: Object.fromEntries(settings),
    };
    signal?.throwIfAborted();
    const mask = maskOf(rows, count);
    const bound = arrays as Tree<BackendArray>;
    const begun = await this.#start.run({
      ...shared,
      arrays: bound,
      mask,
      inputs,
    });
    const withTimes = { ...shared, ...(times && { times: hostArray(times) }) };
    let batch = await this.#batch(bound, rows, undefined, { ...withTimes, mask }, begun);
    const perSample = begun.state.status.shape[0] === rows && rows > 1;
    const { adaptive, maxSteps } = this.#solver;
    let whole: Carried<HostArray> | undefined;
    let rowSteps = 0;
    try {
      for (let attempts = 0; attempts < maxSteps; attempts++) {
        // Solvers that are not adaptive take all their steps, so the status is read once, at the end.
        if (adaptive) {
          const status = await batch.carried.state.status.read();
          const running = Array.from(status).filter((code) => code === solverStatus.running).length;
          if (running === 0) break;
          const smaller = perSample ? compactedRows(running, batch.rows) : undefined;
          if (smaller !== undefined) {
            const values = await hostsOf<Begun<HostArray>>({ ...batch.carried, constants: batch.constants });
            whole = store(whole, values, batch);
            const chosen = Array.from(status.keys()).filter((row) => status[row] === solverStatus.running);
            const { indices } = batch;
            await disposeBatch(batch);
            batch = await this.#batch(
              bound,
              smaller,
              indices ? chosen.map((row) => indices[row]) : chosen,
              { ...withTimes, mask: maskOf(smaller, chosen.length) },
              this.#upload(values, chosen, smaller),
            );
          }
        }
        signal?.throwIfAborted();
        batch.carried = await batch.step.run({
          ...batch.fixed,
          ...batch.carried,
          constants: batch.constants,
          ...(seed && { seed: { ...seed, step: hostScalar(attempts, 'u32') } }),
        });
        rowSteps += batch.rows;
        await yieldToEventLoop();
        if (onStep)
          onStep(adaptive ? shareReached(await batch.carried.state.t.read(), options) : (attempts + 1) / maxSteps);
      }
      const values = await hostsOf<Carried<HostArray>>(batch.carried);
      return this.#result(whole ? store(whole, values, batch) : values, rowSteps, options);
    } finally {
      await disposeBatch(batch);
    }
  }

  #seed({ seed, firstSample = 0 }: OdeRunOptions): { readonly key: HostArray; readonly firstSample: HostArray } {
    if (seed !== undefined) return { key: seedArray(seed), firstSample: hostScalar(firstSample, 'u32') };
    throw new OptionError(`The solver '${this.#solver.name}' draws noise.`, {
      expected: 'a seed',
      remedy: 'Use it for sampling, not for likelihoods.',
    });
  }

  /** @param bound arrays that are constant over all steps, on which backends may specialize the step */
  async #batch(
    bound: Tree<BackendArray>,
    rows: number,
    indices: Batch['indices'],
    fixed: Fixed,
    { constants, ...carried }: Begun<BackendArray>,
  ): Promise<Batch> {
    return { rows, indices, step: (await this.#step(rows)).bind({ arrays: bound }), fixed, constants, carried };
  }

  /** The chosen rows as arrays of a smaller batch; its padding rows count as finished. */
  #upload(values: Begun<HostArray>, chosen: readonly number[], rows: number): Begun<BackendArray> {
    const taken = mapTree<HostArray, HostArray>(values, (array) => takeRows(array, chosen, rows)) as Begun<HostArray>;
    taken.state.status.data.fill(solverStatus.done, chosen.length);
    return mapTree<HostArray, BackendArray>(taken, (array) => this.#backend.array(array)) as Begun<BackendArray>;
  }

  #result({ state, kept }: Carried<HostArray>, rowSteps: number, options: OdeRunOptions): OdeResult {
    const names = Object.keys(solverStatus) as SolverStatus[];
    const status = Array.from(state.status.data, (code) => names.find((name) => solverStatus[name] === code)!);
    const result: OdeResult = {
      y: state.y,
      ...(kept && { kept }),
      status,
      t: state.t.data,
      evaluations: state.evaluations.data,
      accepted: state.accepted.data,
      rejected: state.rejected.data,
      error: state.error.data,
      h: state.h.data,
      rowSteps,
    };
    requireFinite(result, {
      solver: this.#solver.name,
      count: this.#graphs.definition.rows,
      brokenRow: state.brokenRow?.data[0],
      ...options,
    });
    return result;
  }

  async dispose(): Promise<void> {
    await this.#start.dispose();
    // A step that failed to compile has already thrown for its caller.
    for (const step of await Promise.allSettled(this.#steps.values()))
      if (step.status === 'fulfilled') await step.value.dispose();
  }
}

const maskOf = (rows: number, count: number): HostArray =>
  hostArray(
    Float32Array.from({ length: rows }, (_, i) => (i < count ? 1 : 0)),
    [rows],
  );

async function disposeBatch({ carried, constants, step }: Batch): Promise<void> {
  for (const [, array] of flattenTree<BackendArray>({ carried, constants })) array.dispose();
  await step.dispose();
}

const hostsOf = async <Hosts extends Carried<HostArray>>(
  arrays: MapTree<Hosts, HostArray, BackendArray>,
): Promise<Hosts> => (await readTree(arrays)) as Hosts;

/** Writes the rows of a batch into the whole batch, which is the first one. */
function store(
  whole: Carried<HostArray> | undefined,
  values: Carried<HostArray>,
  { indices }: Batch,
): Carried<HostArray> {
  if (!whole || !indices) return values;
  mapTrees<HostArray, void>((part, into) => putRows(into as HostArray, part, indices), values, whole);
  return whole;
}

/** The fraction of the interval that the slowest sample has covered. */
function shareReached(t: TypedArray, { start, end }: OdeRunOptions): number {
  const left = Array.from(t).reduce((most, time) => Math.max(most, Math.abs(end - time)), 0);
  return 1 - Math.min(1, left / Math.abs(end - start));
}
