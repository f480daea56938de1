import type { Solver } from '../contracts/solver.ts';
import type { Graph } from '@flow-matching/tensor';
import { traceStart, traceStep, type OdeDefinition, type Types } from './odeTrace.ts';

/** The traced programs of one solver on one differential equation, each traced on first use. */
export class OdeGraphs {
  readonly solver: Solver;
  readonly definition: OdeDefinition;
  readonly #steps = new Map<number, Graph>();
  #start: Graph | undefined;

  constructor(solver: Solver, definition: OdeDefinition) {
    this.solver = solver;
    this.definition = definition;
  }

  /** From the inputs of a solve to the values that its steps carry. */
  get start(): Graph {
    return (this.#start ??= traceStart(this.solver, this.definition));
  }

  /** One attempted step of `rows` samples. */
  step(rows: number): Graph {
    const known = this.#steps.get(rows);
    if (known) return known;
    const traced = traceStep(this.solver, this.definition, this.#carriedTypes(rows), rows);
    this.#steps.set(rows, traced);
    return traced;
  }

  /** Types of the carried values, by name, for `rows` samples. */
  #carriedTypes(rows: number): Types {
    return Object.fromEntries(
      this.start.outputs.map(({ name, tensor: { shape, dtype } }) => [
        name,
        { shape: rows === this.definition.rows ? shape : [rows, ...shape.slice(1)], dtype },
      ]),
    );
  }
}
