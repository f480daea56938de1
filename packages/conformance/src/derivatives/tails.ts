import * as fm from '@flow-matching/tensor';
import type { Tensor } from '@flow-matching/tensor';

/** A function of one variable whose derivative must keep its digits in the tails. */
export interface Tail {
  readonly name: string;
  readonly formula: (x: Tensor) => Tensor;
  /** The derivative in f64, from its definition. */
  readonly derivative: (x: number) => number;
  readonly at: readonly number[];
  /** Unit round-offs allowed for a rule: those of the functions that it consists of, at x. */
  readonly roundings: (x: number) => number;
}

/** WGSL allows exp 3 + 2·|x| ulp. */
const exponential = (x: number): number => 16 + 8 * Math.abs(x);
const few = (): number => 16;

/**
 * Derivatives where they are small or large, with relative errors: a rule that subtracts, or that computes a derivative from a
 * value that has absorbed it (exp from exp − 1 far left of 0), passes limits based on roundings but has no correct digits.
 * Functions whose own tail may be cut off (sigmoid, tanh, and functions of them) are left out.
 */
export const tails: readonly Tail[] = [
  { name: 'exp', formula: fm.exp, derivative: Math.exp, at: [-80, -30, -9, 9, 30, 80], roundings: exponential },
  {
    name: 'expm1',
    formula: fm.expm1,
    derivative: Math.exp,
    at: [-80, -40, -17, -9, -5, -1e-3, 1e-30, 1e-3, 9, 40, 80],
    roundings: exponential,
  },
  { name: 'log', formula: fm.log, derivative: (x) => 1 / x, at: [1e-30, 1e-9, 1e-3, 1e3, 1e9, 1e30], roundings: few },
  {
    name: 'log1p',
    formula: fm.log1p,
    derivative: (x) => 1 / (1 + x),
    at: [-0.999, 2 ** -20 - 1, -1e-6, 1e-30, 1e-6, 1e3, 1e9, 1e30],
    roundings: few,
  },
  {
    name: 'sqrt',
    formula: fm.sqrt,
    derivative: (x) => 0.5 / Math.sqrt(x),
    at: [1e-30, 1e-9, 1e9, 1e30],
    roundings: few,
  },
  {
    name: 'reciprocal',
    formula: fm.reciprocal,
    derivative: (x) => -1 / (x * x),
    at: [-1e12, -1e-12, 1e-15, 1e-6, 1e6, 1e15],
    roundings: few,
  },
  {
    name: 'erf',
    formula: fm.erf,
    derivative: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    at: [-8, -5, -3, -1e-6, 1e-30, 2, 4, 6, 9],
    // The square is rounded, and exp magnifies that error.
    roundings: (x) => 16 + 8 * x * x,
  },
  {
    name: 'pow of a constant exponent',
    formula: (x) => fm.pow(x, 3),
    derivative: (x) => 3 * x * x,
    at: [-1e9, -1e-9, 1e-12, 1e-6, 1e6, 1e12],
    // exp2(b·log2(a)) within WGSL's errors of both.
    roundings: (x) => 64 + 32 * Math.abs(Math.log2(Math.abs(x))),
  },
];
