import type { Operator } from '../graph/operator.ts';
import { elementwise } from './archetypes.ts';
import { add, div, mul, neg, reciprocal, sub } from './arithmetic.ts';
import { unary, type Unary } from './calls.ts';

export const Exp: Operator = elementwise('Exp', 'float', [(_, y) => y]);
export const Log: Operator = elementwise('Log', 'float', [([x]) => reciprocal(x)]);
/**
 * exp(x) − 1 without the cancellation near 0. Not an ONNX operator. Its derivative is exp(x), not y + 1, which would cancel for
 * very negative x.
 */
export const Expm1: Operator = elementwise('Expm1', 'float', [([x]) => exp(x)]);
/** log(1 + x) without the cancellation near 0. Not an ONNX operator. */
export const Log1p: Operator = elementwise('Log1p', 'float', [([x]) => div(1, add(x, 1))]);
export const Sin: Operator = elementwise('Sin', 'float', [([x]) => cos(x)]);
export const Cos: Operator = elementwise('Cos', 'float', [([x]) => neg(sin(x))]);
export const Tanh: Operator = elementwise('Tanh', 'float', [(_, y) => sub(1, mul(y, y))]);
export const Sigmoid: Operator = elementwise('Sigmoid', 'float', [(_, y) => mul(y, sub(1, y))]);
/** The Gauss error function, 2/√π ∫₀ˣ exp(−s²) ds. */
export const Erf: Operator = elementwise('Erf', 'float', [([x]) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))]);

export const exp: Unary = unary(Exp);
export const log: Unary = unary(Log);
export const expm1: Unary = unary(Expm1);
export const log1p: Unary = unary(Log1p);
export const sin: Unary = unary(Sin);
export const cos: Unary = unary(Cos);
export const tanh: Unary = unary(Tanh);
export const sigmoid: Unary = unary(Sigmoid);
export const erf: Unary = unary(Erf);
