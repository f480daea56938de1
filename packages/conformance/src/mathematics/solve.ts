import { OdeProgram, type OdeResult, type OdeRunOptions, type Solver } from '@flow-matching/core';
import { type Backend, type HostArray, type Tensor } from '@flow-matching/tensor';
import type { Arrays } from './evaluate.ts';

/** dy/dt of one problem: t [rows], y [rows, ...], and the constants of the problem. */
export type Field = (t: Tensor, y: Tensor, given: Readonly<Record<string, Tensor>>) => Tensor;

/** Solves of one differential equation, compiled once. */
export interface CompiledSolve extends AsyncDisposable {
  run(y0: HostArray, options: OdeRunOptions): Promise<OdeResult & { readonly end: HostArray }>;
}

/** Compiles dy/dt = field for states like `y0`; `given` is passed to the field. States are kept at `keptTimes` times. The caller disposes it. */
export async function compileSolve(
  backend: Backend,
  solver: Solver,
  field: Field,
  { shape, dtype }: HostArray,
  given: Arrays = {},
  keptTimes = 0,
): Promise<CompiledSolve> {
  const program = await OdeProgram.compile(backend, solver, {
    rows: shape[0],
    keptTimes,
    arrays: {},
    inputs: { y: { shape, dtype }, ...given },
    begin: ({ y, ...constants }) => ({ y: { y }, constants }),
    field: (t, { y }, _, constants) => ({ y: field(t, y, constants) }),
  });
  return {
    async run(y, options) {
      const result = await program.run({}, { y, ...given }, options);
      return { ...result, end: result.y['y'] };
    },
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}

/** One solve. */
export async function solveOnce(
  backend: Backend,
  solver: Solver,
  field: Field,
  y0: HostArray,
  options: OdeRunOptions,
  given: Arrays = {},
): Promise<OdeResult & { readonly end: HostArray }> {
  await using compiled = await compileSolve(backend, solver, field, y0, given);
  return await compiled.run(y0, options);
}
