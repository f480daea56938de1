import type { Solver } from '../contracts/solver.ts';
import { mapTree, type Tensor, type TensorType, type TracedProgram, type Tree } from '@flow-matching/tensor';
import {
  traceStart,
  traceStep,
  type AnyOdeDefinition,
  type Begun,
  type Carried,
  type OdeDefinition,
  type StartArgument,
  type StepArgument,
} from './odeTrace.ts';

/** The traced programs of one solver on one differential equation, each traced on first use. */
export class OdeGraphs {
  readonly solver: Solver;
  readonly definition: AnyOdeDefinition;
  readonly #steps = new Map<number, TracedProgram<StepArgument<TensorType>, Carried<Tensor>>>();
  #start: TracedProgram<StartArgument<TensorType>, Begun<Tensor>> | undefined;

  private constructor(solver: Solver, definition: AnyOdeDefinition) {
    this.solver = solver;
    this.definition = definition;
  }

  static of<Arrays extends Tree<TensorType>, Inputs extends Tree<TensorType>, Constants extends Tree<Tensor>>(
    solver: Solver,
    definition: OdeDefinition<Arrays, Inputs, Constants>,
  ): OdeGraphs {
    // Its formulas receive what its own types, traced, become.
    return new OdeGraphs(solver, definition as unknown as AnyOdeDefinition);
  }

  /** From the inputs of a solve to where its steps begin. */
  get start(): TracedProgram<StartArgument<TensorType>, Begun<Tensor>> {
    return (this.#start ??= traceStart(this.solver, this.definition));
  }

  /** One attempted step of `rows` samples. */
  step(rows: number): TracedProgram<StepArgument<TensorType>, Carried<Tensor>> {
    const known = this.#steps.get(rows);
    if (known) return known;
    const traced = traceStep(this.solver, this.definition, this.#begunTypes(rows), rows);
    this.#steps.set(rows, traced);
    return traced;
  }

  /** Types of what a step of `rows` samples begins with. */
  #begunTypes(rows: number): Begun<TensorType> {
    const all = rows === this.definition.rows;
    return mapTree<Tensor, TensorType>(this.start.result, ({ shape, dtype }) => ({
      shape: all ? shape : [rows, ...shape.slice(1)],
      dtype,
    })) as Begun<TensorType>;
  }
}
