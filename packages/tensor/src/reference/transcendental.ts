import * as operators from '../operators/transcendental.ts';
import { erf } from './erf.ts';
import { elementwise, floats, kernel, type Kernel } from './kernel.ts';

/** 1 / (1 + exp(−x)), without overflow on either side. */
function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x < 0 ? small : 1) / (1 + small);
}

export const transcendental: readonly Kernel[] = [
  kernel(operators.Exp, floats, elementwise(Math.exp)),
  kernel(operators.Log, floats, elementwise(Math.log)),
  kernel(operators.Expm1, floats, elementwise(Math.expm1)),
  kernel(operators.Log1p, floats, elementwise(Math.log1p)),
  kernel(operators.Sin, floats, elementwise(Math.sin)),
  kernel(operators.Cos, floats, elementwise(Math.cos)),
  kernel(operators.Tanh, floats, elementwise(Math.tanh)),
  kernel(operators.Sigmoid, floats, elementwise(sigmoid)),
  kernel(operators.Erf, floats, elementwise(erf)),
];
