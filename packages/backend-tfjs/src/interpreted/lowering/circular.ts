import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Operations } from '../operations.ts';
import { plus, polynomial, times } from './composed.ts';

/** π/2 in three parts; multiples of the first two are exact (Cody and Waite). */
const quarterTurn = [1.5703125, 4.837512969970703e-4, 7.549789954891882e-8];
/** Of z = r² on [−π/4, π/4] (Cephes, sinf): sin r = r + r·z·p(z), cos r = 1 − z/2 + z²·p(z). */
const sine = [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4];
const cosine = [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5];

/** sin(x + turned·π/2), because a GPU's own function may be off by 2⁻¹¹. */
export function circular(operations: Operations, x: TensorInfo, turned: 0 | 1): TensorInfo {
  const turns = operations.run('Round', { x: scaled(operations, x, 2 / Math.PI) });
  const r = quarterTurn.reduce((rest, part) => minus(operations, rest, scaled(operations, turns, part)), x);
  const z = times(operations, r, r);
  const onSine = operations.run('Add', {
    a: r,
    b: times(operations, times(operations, r, z), polynomial(operations, z, sine)),
  });
  const onCosine = operations.run('Add', {
    a: plus(operations, scaled(operations, z, -0.5), 1),
    b: times(operations, times(operations, z, z), polynomial(operations, z, cosine)),
  });
  const quarter = remainder(operations, plus(operations, turns, turned), 4);
  const odd = operations.run('Equal', {
    a: remainder(operations, quarter, 2),
    b: operations.filled(1, [], 'f32'),
  });
  const value = operations.select(odd, onCosine, onSine);
  const lower = operations.run('LessEqual', { a: operations.filled(2, [], 'f32'), b: quarter });
  return operations.select(lower, operations.run('Neg', { x: value }), value);
}

const scaled = (operations: Operations, x: TensorInfo, factor: number): TensorInfo =>
  times(operations, x, operations.filled(factor, [], 'f32'));

const minus = (operations: Operations, a: TensorInfo, b: TensorInfo): TensorInfo => operations.run('Sub', { a, b });

/** The non-negative remainder of an integer. */
function remainder(operations: Operations, whole: TensorInfo, divisor: number): TensorInfo {
  const quotient = operations.run('Floor', { x: scaled(operations, whole, 1 / divisor) });
  return minus(operations, whole, scaled(operations, quotient, divisor));
}
