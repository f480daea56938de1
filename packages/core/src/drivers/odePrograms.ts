import { type Backend, ProgramCache, type Tensor, type TensorType, type Tree } from '@flow-matching/tensor';
import type { ModelContext } from '../contracts/model.ts';
import type { Solver } from '../contracts/solver.ts';
import { OdeGraphs } from '../solve/odeGraphs.ts';
import { OdeProgram } from '../solve/odeProgram.ts';
import type { OdeDefinition } from '../solve/odeTrace.ts';
import type { Divergence } from './divergenceOptions.ts';

/** What the programs of a flow depend on besides its parts, as plain data. Everything that a definition reads must be in here. */
export interface OdeProgramRequest {
  readonly rows: number;
  readonly context: ModelContext;
  /** Types of the parameters. */
  readonly arrays: Tree<TensorType>;
  /** Types of the conditions of a batch. */
  readonly condition?: Readonly<Record<string, TensorType>>;
  /** How the divergence is computed, if log-densities are computed. */
  readonly divergence?: Divergence | undefined;
  /** Whether the starting points are fed. */
  readonly fromSource?: boolean;
  readonly keptTimes?: number;
}

/** What the solve of a batch is given: types, symbols or arrays. */
export type FlowInputs<Leaf> = {
  readonly key: Leaf;
  readonly firstSample: Leaf;
  /** Points to start from, [rows, ...event]; absent if they are drawn. */
  readonly points?: Leaf;
  readonly condition?: Readonly<Record<string, Leaf>>;
};

/** What stays the same during a solve, for each sample. */
export type FlowConstants = {
  readonly condition?: Readonly<Record<string, Tensor>> | undefined;
  /** Probe vectors of Hutchinson's estimate. */
  readonly probes?: readonly Tensor[];
};

/** The differential equation of a flow: its arrays are the model's parameters. */
export type FlowDefinition = OdeDefinition<Tree<TensorType>, FlowInputs<TensorType>, FlowConstants>;

/** Traced programs kept per solver, which saves tracing them again. */
const keptGraphs = 32;

/**
 * The compiled programs of one driver. Programs are shared if their graphs have equal hashes: an equal solver that is created
 * anew shares them, but different parts, shapes or options never do.
 */
export class OdePrograms {
  readonly #backend: Backend;
  readonly #define: (request: OdeProgramRequest) => FlowDefinition;
  readonly #executables: ProgramCache;
  readonly #graphs = new WeakMap<Solver, Map<string, OdeGraphs>>();

  /** @param define returns the differential equation of a request, for the driver's own parts, which do not change */
  constructor(backend: Backend, define: (request: OdeProgramRequest) => FlowDefinition) {
    this.#backend = backend;
    this.#define = define;
    this.#executables = new ProgramCache(backend);
  }

  /** A program for one solve; disposing it returns its executables to the cache. */
  open(solver: Solver, request: OdeProgramRequest): Promise<OdeProgram<Tree<TensorType>, FlowInputs<TensorType>>> {
    const executables = this.#executables;
    const backend = {
      array: this.#backend.array.bind(this.#backend),
      compile: executables.compile.bind(executables),
    };
    return OdeProgram.compileTraced(backend, this.#graphsOf(solver, request));
  }

  #graphsOf(solver: Solver, request: OdeProgramRequest): OdeGraphs {
    const ofSolver = this.#graphs.get(solver) ?? new Map<string, OdeGraphs>();
    this.#graphs.set(solver, ofSolver);
    const key = JSON.stringify(request);
    const graphs = ofSolver.get(key) ?? OdeGraphs.of(solver, this.#define(request));
    // The most recently used is last.
    ofSolver.delete(key);
    ofSolver.set(key, graphs);
    if (ofSolver.size > keptGraphs) ofSolver.delete(ofSolver.keys().next().value!);
    return graphs;
  }

  dispose(): Promise<void> {
    return this.#executables.dispose();
  }
}
