import { Container, type ResolutionContext } from 'inversify';
import type { Backend } from '@flow-matching/tensor';
import type { Coupling } from '../contracts/coupling.ts';
import type { VectorFieldModel } from '../contracts/model.ts';
import type { Objective, TimeSampler } from '../contracts/objective.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';
import { BACKEND, COUPLING, MODEL, OBJECTIVE, PATH, SOLVER, TIME_SAMPLER } from '../plugin/roles.ts';
import { Flow } from './flow.ts';
import { LikelihoodEvaluator } from './likelihood.ts';
import { Sampler } from './sampler.ts';
import { Trainer } from './trainer.ts';

/** The parts of a flow, one per role. */
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

/** Returns the same instance as long as all roles are bound to the same parts. */
function whileUnchanged<Value>(make: (context: ResolutionContext) => Value): (context: ResolutionContext) => Value {
  let made: { readonly parts: readonly unknown[]; readonly value: Value } | undefined;
  return (context) => {
    const parts = roles.map((role) => context.get<unknown>(role));
    if (!made || parts.some((part, i) => part !== made?.parts[i])) made = { parts, value: make(context) };
    return made.value;
  };
}

/**
 * Binds the parts of an experiment to their roles, and the drivers that use them. To swap a part, rebind it: the next
 * `get(Flow)` returns a flow with the new part, without parameters. The old flow keeps working and must be disposed by its
 * owner; `load` of the new flow takes `parameters()` of the old.
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

/** Makes a flow from its parts, for use without your own container. */
export async function assembleFlow(parts: FlowParts): Promise<Flow> {
  const container = await bindFlow(new Container(), parts);
  return container.get(Flow);
}
