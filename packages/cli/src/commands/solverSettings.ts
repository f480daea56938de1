import { largestCount } from '@flow-matching/tensor/limits';
import { InvalidArgumentError, type Command } from 'commander';
import type { Setting } from '../experiment/experimentSource.ts';

export interface SolverOptions {
  readonly solver?: string;
  readonly rtol?: number;
  readonly atol?: number;
  readonly steps?: number;
  readonly backend?: string;
}

/** The options of sample and evaluate that override the experiment's solver and backend. */
export const withSolverOptions = (command: Command): Command =>
  command
    .option('--solver <name>', "integrate with this solver instead of the experiment's")
    .option('--rtol <x>', 'error allowed a step relative to the solution (adaptive solvers)', parseNumber)
    .option('--atol <x>', "error allowed a step in the data's unit (adaptive solvers)", parseNumber)
    .option('--steps <n>', 'number of equal steps (fixed-step solvers)', parseCount)
    .option('--backend <name>', 'run on this backend');

/** The options given, as settings of the experiment. */
export function solverSettings({ solver, rtol, atol, steps, backend }: SolverOptions): Setting[] {
  const numbers = Object.entries({ rtol, atol, steps }).filter(
    (entry): entry is [string, number] => entry[1] !== undefined,
  );
  return [
    ...(backend === undefined ? [] : [{ path: ['backend'], value: { name: backend }, label: `--backend ${backend}` }]),
    ...(solver === undefined ? [] : [{ path: ['solver'], value: { name: solver }, label: `--solver ${solver}` }]),
    ...numbers.map(([name, value]) => ({ path: ['solver', name], value, label: `--${name} ${value}` })),
  ];
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** A positive integer of at most 31 bits. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > largestCount)
    throw new InvalidArgumentError(`Expected an integer from 1 to ${largestCount}.`);
  return value;
}

export function parseSeed(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected an integer from 0 to 2^53 − 1.');
  return value;
}
