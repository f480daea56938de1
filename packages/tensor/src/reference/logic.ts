import * as operators from '../operators/logic.ts';
import { all, elementwise, floats, kernel, numeric, type Kernel } from './kernel.ts';

export const logic: readonly Kernel[] = [
  kernel(
    operators.Equal,
    all,
    elementwise((a, b) => Number(a === b)),
  ),
  kernel(
    operators.Less,
    numeric,
    elementwise((a, b) => Number(a < b)),
  ),
  kernel(
    operators.LessOrEqual,
    numeric,
    elementwise((a, b) => Number(a <= b)),
  ),
  kernel(
    operators.And,
    ['bool'],
    elementwise((a, b) => a & b),
  ),
  kernel(
    operators.Or,
    ['bool'],
    elementwise((a, b) => a | b),
  ),
  kernel(
    operators.Not,
    ['bool'],
    elementwise((x) => 1 - x),
  ),
  kernel(
    operators.IsNaN,
    floats,
    elementwise((x) => Number(Number.isNaN(x))),
  ),
  kernel(
    operators.Where,
    all,
    elementwise((condition, a, b) => (condition ? a : b)),
  ),
];
