import type { ModelContext, SymbolicParameters, VectorFieldModel } from '../contracts/model.ts';
import type { Objective } from '../contracts/objective.ts';
import type { Path, TimeInterval } from '../contracts/path.ts';
import { type Tensor, OptionError, maximum, minimum } from '@flow-matching/tensor';

/** The parts of a trained flow's vector field. */
export interface FieldParts {
  readonly path: Path;
  readonly objective: Objective;
  readonly model: VectorFieldModel;
  readonly context: ModelContext;
}

/**
 * The vector field of a trained flow at times [batch] and points [batch, ...event]. If the objective restricts its conversion
 * to a part of the path's interval, the field at other times is that at the nearest allowed time: it is smooth in time, so
 * holding it over a short time costs an error of second order, whereas the conversion would multiply the model's error without
 * bound.
 */
export function modelField(
  { path, objective, model }: FieldParts,
  parameters: SymbolicParameters,
  t: Tensor,
  x: Tensor,
  condition?: Readonly<Record<string, Tensor>>,
): Tensor {
  const trusted = objective.interval?.(path);
  const time = trusted ? clamped(t, trusted, path.interval) : t;
  const prediction = model.apply(parameters, {
    t: time,
    x,
    training: false,
    ...(condition && { condition }),
  });
  if (prediction.shape.join() !== x.shape.join()) {
    throw new OptionError(`The model '${model.name}' returns ${prediction.toString()} for points ${x.toString()}.`, {
      actual: prediction.shape,
      expected: 'an output shaped like its input',
      callSite: prediction.node.callSite,
    });
  }
  return objective.field(prediction, { path, t: time, x });
}

/** Times clamped to the ends of the interval that lie inside the whole interval. */
function clamped(t: Tensor, { start, end }: TimeInterval, whole: TimeInterval): Tensor {
  const late = start > whole.start ? maximum(t, start) : t;
  return end < whole.end ? minimum(late, end) : late;
}
