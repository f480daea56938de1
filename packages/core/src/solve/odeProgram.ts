import {
  type Backend,
  type BackendArray,
  type Executable,
  type NamedArrays,
  type RunInputs,
  OptionError,
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
import { carriedPrefix, pick, type OdeDefinition, type Types } from './odeTrace.ts';
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

type Arrays = Record<string, BackendArray>;
type Inputs = Record<string, BackendArray | HostArray>;

const statusName = `${carriedPrefix.state}status`;
const timeName = `${carriedPrefix.state}t`;

/** A batch of a running solve. Finished rows may have been removed from it. */
interface Batch {
  readonly rows: number;
  /** The index of each row in the whole batch, without padding. */
  readonly indices: ArrayLike<number> | undefined;
  /** Bound to the arrays of the solve. */
  readonly step: Executable;
  readonly fixed: Inputs;
  carried: Arrays;
}

/** The parts of a backend that a program uses. */
type OdeBackend = Pick<Backend, 'array' | 'compile'>;

/** The compiled programs of one solver on one differential equation, and the loop that runs them. */
export class OdeProgram {
  readonly #backend: OdeBackend;
  readonly #graphs: OdeGraphs;
  readonly #solver: Solver;
  readonly #definition: OdeDefinition;
  readonly #start: Executable;
  /** Step programs by row count. */
  readonly #steps = new Map<number, Promise<Executable>>();
  readonly #carriedTypes: Types;

  private constructor(backend: OdeBackend, graphs: OdeGraphs, start: Executable) {
    this.#backend = backend;
    this.#graphs = graphs;
    this.#solver = graphs.solver;
    this.#definition = graphs.definition;
    this.#start = start;
    this.#carriedTypes = Object.fromEntries(
      start.graph.outputs.map(({ name, tensor: { shape, dtype } }) => [name, { shape, dtype }]),
    );
  }

  /** @param graphs already traced graphs, if the caller has them */
  static async compile(
    backend: OdeBackend,
    solver: Solver,
    definition: OdeDefinition,
    graphs = new OdeGraphs(solver, definition),
  ): Promise<OdeProgram> {
    const program = new OdeProgram(backend, graphs, await backend.compile(graphs.start));
    try {
      await program.#step(definition.rows);
      return program;
    } catch (error) {
      await program.dispose();
      throw error;
    }
  }

  /** The step for batches of `rows`, compiled on first use. */
  #step(rows: number): Promise<Executable> {
    let step = this.#steps.get(rows);
    if (!step) {
      const graph = this.#graphs.step(rows);
      step = this.#backend.compile(graph, {
        aliases: graph.outputs.map(({ name }) => [`carried.${name}`, name] as const),
      });
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
  async run(arrays: NamedArrays, inputs: RunInputs, options: OdeRunOptions): Promise<OdeResult> {
    const { rows } = this.#definition;
    const { count = rows, times, signal, onStep } = options;
    checkInterval(options);
    await checkResolution(this.#solver, this.#backend);
    const seed = this.#solver.stochastic ? this.#seed(options) : undefined;
    const settings = Object.entries(this.#solver.settings).map(
      ([name, value]) =>
        [`settings.${name}`, typeof value === 'number' ? hostScalar(value) : hostArray(value)] as const,
    );
    const shared: Inputs = {
      start: hostScalar(options.start),
      end: hostScalar(options.end),
      ...Object.fromEntries(settings),
    };
    signal?.throwIfAborted();
    const mask = maskOf(rows, count);
    const bound = prefixAll('arrays.', arrays);
    const begun = await this.#start.run({ ...shared, ...bound, mask, ...prefixAll('inputs.', inputs) });
    const withTimes = { ...shared, ...(times && { times: hostArray(times) }) };
    let batch = await this.#batch(bound, rows, undefined, { ...withTimes, mask }, begun);
    const perSample = this.#carriedTypes[statusName].shape[0] === rows && rows > 1;
    const { adaptive, maxSteps } = this.#solver;
    let whole: Record<string, HostArray> | undefined;
    let rowSteps = 0;
    try {
      for (let attempts = 0; attempts < maxSteps; attempts++) {
        // Solvers that are not adaptive take all their steps, so the status is read once, at the end.
        if (adaptive) {
          const status = await batch.carried[statusName].read();
          const running = Array.from(status).filter((code) => code === solverStatus.running).length;
          if (running === 0) break;
          const smaller = perSample ? compactedRows(running, batch.rows) : undefined;
          if (smaller !== undefined) {
            const values = await hostsOf({ ...batch.carried, ...constantsOf(batch) });
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
        const position = seed && { ...seed, 'seed.step': hostScalar(attempts, 'u32') };
        batch.carried = await batch.step.run({ ...batch.fixed, ...prefixAll('carried.', batch.carried), ...position });
        rowSteps += batch.rows;
        await yieldToEventLoop();
        if (onStep)
          onStep(adaptive ? shareReached(await batch.carried[timeName].read(), options) : (attempts + 1) / maxSteps);
      }
      const values = await hostsOf(batch.carried);
      return this.#result(whole ? store(whole, values, batch) : values, rowSteps, options);
    } finally {
      await disposeBatch(batch);
    }
  }

  #seed({ seed, firstSample = 0 }: OdeRunOptions): Inputs {
    if (seed !== undefined)
      return prefixAll('seed.', { key: seedArray(seed), firstSample: hostScalar(firstSample, 'u32') });
    throw new OptionError(`The solver '${this.#solver.name}' draws noise.`, {
      expected: 'a seed',
      remedy: 'Use it for sampling, not for likelihoods.',
    });
  }

  /** @param bound arrays that are constant over all steps, on which backends may specialize the step */
  async #batch(
    bound: NamedArrays,
    rows: number,
    indices: Batch['indices'],
    fixed: Inputs,
    begun: Arrays,
  ): Promise<Batch> {
    const isConstant = (name: string): boolean => name.startsWith(carriedPrefix.constants);
    const constants = Object.entries(begun).filter(([name]) => isConstant(name));
    return {
      rows,
      indices,
      step: (await this.#step(rows)).bind(bound),
      fixed: { ...fixed, ...prefixAll('carried.', Object.fromEntries(constants)) },
      carried: Object.fromEntries(Object.entries(begun).filter(([name]) => !isConstant(name))),
    };
  }

  /** The chosen rows as arrays of a smaller batch; its padding rows count as finished. */
  #upload(values: Readonly<Record<string, HostArray>>, chosen: readonly number[], rows: number): Arrays {
    return Object.fromEntries(
      Object.entries(values).map(([name, array]) => {
        const taken = takeRows(array, chosen, rows);
        if (name === statusName) taken.data.fill(solverStatus.done, chosen.length);
        return [name, this.#backend.array(taken)];
      }),
    );
  }

  #result(values: Readonly<Record<string, HostArray>>, rowSteps: number, options: OdeRunOptions): OdeResult {
    const state = pick(values, carriedPrefix.state);
    const [t, evaluations, accepted, rejected, error, h] = [
      't',
      'evaluations',
      'accepted',
      'rejected',
      'error',
      'h',
    ].map((name) => state[name].data);
    const names = Object.keys(solverStatus) as SolverStatus[];
    const status = Array.from(state['status'].data, (code) => names.find((name) => solverStatus[name] === code)!);
    const kept = pick(values, carriedPrefix.kept);
    const result: OdeResult = {
      y: pick(state, 'y.'),
      ...(Object.keys(kept).length > 0 && { kept }),
      status,
      t,
      evaluations,
      accepted,
      rejected,
      error,
      h,
      rowSteps,
    };
    requireFinite(result, {
      solver: this.#solver.name,
      count: this.#definition.rows,
      brokenRow: state['brokenRow']?.data[0],
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

const constantsOf = ({ fixed }: Batch): Arrays => pick(fixed as Arrays, 'carried.');

async function disposeBatch(batch: Batch): Promise<void> {
  for (const array of [...Object.values(batch.carried), ...Object.values(constantsOf(batch))]) array.dispose();
  await batch.step.dispose();
}

const hostsOf = async (arrays: NamedArrays): Promise<Record<string, HostArray>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(arrays).map(
        async ([name, array]) => [name, { data: await array.read(), shape: array.shape, dtype: array.dtype }] as const,
      ),
    ),
  );

/** Writes the rows of a batch into the whole batch, which is the first one. */
function store(
  whole: Record<string, HostArray> | undefined,
  values: Record<string, HostArray>,
  { indices }: Batch,
): Record<string, HostArray> {
  if (!whole || !indices) return { ...values };
  for (const [name, array] of Object.entries(values)) putRows(whole[name], array, indices);
  return whole;
}

/** The fraction of the interval that the slowest sample has covered. */
function shareReached(t: TypedArray, { start, end }: OdeRunOptions): number {
  const left = Array.from(t).reduce((most, time) => Math.max(most, Math.abs(end - time)), 0);
  return 1 - Math.min(1, left / Math.abs(end - start));
}

const prefixAll = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
