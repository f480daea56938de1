import type { Path } from '../contracts/path.ts';
import { f32, trace, broadcastShapes, sizeOf, type Shape } from '@flow-matching/tensor';

/** A shape of data points that a path accepts: that of its standard deviation if it has one value per dimension, else [2]. */
export function pointShape(path: Path): Shape {
  if (typeof path.priorStd !== 'number') return [path.priorStd.length];
  const std = trace(({ t }) => path.std(t), { t: f32([1, 1]) }).outputs[0].tensor;
  const event = broadcastShapes([1, 1], std.shape).slice(1);
  return sizeOf(event) > 1 ? event : [2];
}
