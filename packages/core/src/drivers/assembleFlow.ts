import { Container, type ResolutionContext } from 'inversify';
import type { Backend } from '../backend/backend.ts';
import type { Coupling } from '../contracts/coupling.ts';
import type { VectorFieldModel } from '../contracts/model.ts';
import type { Objective, TimeSampler } from '../contracts/objective.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';
import { BACKEND, COUPLING, MODEL, OBJECTIVE, PATH, SOLVER, TIME_SAMPLER } from '../plugin/kinds.ts';
import { Flow } from './flow.ts';
import { LikelihoodEvaluator } from './likelihood.ts';
import { Sampler } from './sampler.ts';
import { Trainer } from './trainer.ts';

/** The parts of a flow, one a role. */
export interface FlowParts {
  readonly backend: Backend | Promise<Backend>;
  readonly path: Path;
  readonly coupling: Coupling;
  readonly objective: Objective;
  readonly timeSampler: TimeSampler;
  readonly model: VectorFieldModel;
  readonly solver: Solver;
}

const roles = [BACKEND, PATH, COUPLING, OBJECTIVE, TIME_SAMPLER, MODEL, SOLVER];

/** Gives the same instance as long as all roles are bound to the same parts. */
function whileUnchanged<Value>(make: (context: ResolutionContext) => Value): (context: ResolutionContext) => Value {
  let made: { readonly parts: readonly unknown[]; readonly value: Value } | undefined;
  return (context) => {
    const parts = roles.map((role) => context.get<unknown>(role));
    if (!made || parts.some((part, i) => part !== made?.parts[i])) made = { parts, value: make(context) };
    return made.value;
  };
}

/**
 * Binds the parts of an experiment to their roles, and the drivers that use them. Swapping a part is one rebind: the next `get(Flow)` gives a
 * flow of the new parts, without parameters. The former one works on and is its holder's to dispose of; `parameters()` of the one are for
 * `load` of the other.
 */
export async function bindFlow(container: Container, parts: FlowParts): Promise<Container> {
  container.bind(BACKEND).toConstantValue(await parts.backend);
  container.bind(PATH).toConstantValue(parts.path);
  container.bind(COUPLING).toConstantValue(parts.coupling);
  container.bind(OBJECTIVE).toConstantValue(parts.objective);
  container.bind(TIME_SAMPLER).toConstantValue(parts.timeSampler);
  container.bind(MODEL).toConstantValue(parts.model);
  container.bind(SOLVER).toConstantValue(parts.solver);
  for (const driver of [Trainer, Sampler, LikelihoodEvaluator, Flow] as const) {
    const own = Symbol(driver.name);
    container.bind<object>(own).to(driver);
    container.bind<object>(driver).toDynamicValue(whileUnchanged((context) => context.get<object>(own)));
  }
  return container;
}

/** A flow from its parts, for use without a container of one's own. */
export async function assembleFlow(parts: FlowParts): Promise<Flow> {
  const container = await bindFlow(new Container(), parts);
  return container.get(Flow);
}
