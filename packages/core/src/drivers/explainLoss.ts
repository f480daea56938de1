import type { Batch } from '../contracts/dataset.ts';
import {
  trace,
  constant,
  Random,
  seedArray,
  streams,
  evaluateGraph,
  hostScalar,
  type HostArray,
} from '@flow-matching/tensor';
import { describeRow } from '../path/describeRow.ts';
import { drawConditionalPoints, type TrainingParts } from './trainingProgram.ts';

/**
 * Explains a loss that is not finite, if the path causes it: returns the first point or velocity that is not finite, with its
 * time and data point. The step's draws are repeated on the reference.
 */
export function explainLoss(
  parts: Pick<TrainingParts, 'path' | 'timeSampler' | 'feedsSource'>,
  { x1, x0 }: Batch,
  seed: number,
  step: number,
): string | undefined {
  const fed = parts.feedsSource ? x0 : undefined;
  const graph = trace(
    (given) => {
      const random = new Random(
        { key: given.key, firstSample: constant(0, 'u32'), step: given.step },
        streams.training,
      );
      const { t, x, velocity } = drawConditionalPoints(
        parts,
        { x1: given.x1, ...(given.x0 && { x0: given.x0 }) },
        random,
      );
      return { t, x, velocity };
    },
    {
      x1: typeOf(x1),
      ...(fed && { x0: typeOf(fed) }),
      key: { shape: [2], dtype: 'u32' as const },
      step: { shape: [], dtype: 'u32' as const },
    },
  );
  const values = evaluateGraph(graph, {
    x1,
    ...(fed && { x0: fed }),
    key: seedArray(seed),
    step: hostScalar(step, 'u32'),
  });
  for (const [name, title] of [
    ['x', 'point'],
    ['velocity', 'target velocity'],
  ] as const) {
    const { data, shape } = values[name];
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    const row = Math.floor(at / (data.length / shape[0]));
    return `the ${title} of the path '${parts.path.name}' is ${data[at]} at t = ${values['t'].data[row]}, x1 = ${describeRow(x1, row)}`;
  }
  return undefined;
}

const typeOf = ({ shape, dtype }: HostArray): Pick<HostArray, 'shape' | 'dtype'> => ({ shape, dtype });
