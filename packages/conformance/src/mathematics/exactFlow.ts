import { assembleFlow, type Flow, type Path, type Solver, type VectorFieldModel } from '@flow-matching/core';
import { type Backend, type Tensor } from '@flow-matching/tensor';
import { conditionalFlowMatching, dopri5, independent, uniform } from '@flow-matching/plugins';

/** A field [batch, ...event] of times [batch] and points, in place of a trained model. */
export type ExactField = (t: Tensor, x: Tensor) => Tensor;

/** A flow with a known field, for use with the drivers without training. The caller disposes it. */
export async function exactFlow(
  backend: Backend,
  path: Path,
  field: ExactField,
  solver: Solver = dopri5({ rtol: exactTolerance, atol: exactTolerance }),
  dimension = 2,
): Promise<Flow> {
  const model: VectorFieldModel = { name: 'exact', init: () => ({}), apply: (_, { t, x }) => field(t, x) };
  const flow = await assembleFlow({
    backend,
    path,
    model,
    solver,
    coupling: independent(),
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
  });
  flow.load({}, { shape: [dimension] });
  return flow;
}

/** Tolerance of the solves of an exact field. */
export const exactTolerance = 1e-5;
