import { OdeProgram, type OdeResult, type OdeRunOptions, type Solver } from '@flow-matching/core';
import { hostArray, type Backend, type HostArray, type Tensor } from '@flow-matching/tensor';

/** dy/dt of one problem: t [batch], y [batch, dimension]. */
export type Field = (t: Tensor, y: Tensor) => Tensor;

/** Solves dy/dt = field from rows `y0` and returns the final rows. */
export async function solve(
  backend: Backend,
  solver: Solver,
  field: Field,
  y0: readonly (readonly number[])[],
  { start = 0, end = 1, ...options }: Partial<OdeRunOptions> = {},
): Promise<OdeResult & { rows: number[][]; keptRows: number[][][] }> {
  const shape = [y0.length, y0[0].length];
  const program = await OdeProgram.compile(backend, solver, {
    rows: y0.length,
    arrays: {},
    inputs: { y: { shape, dtype: 'f32' } },
    keptTimes: options.times?.length ?? 0,
    begin: ({ y }) => ({ y: { y } }),
    field: (t, { y }) => ({ y: field(t, y) }),
  });
  try {
    const result = await program.run({}, { y: hostArray(y0.flat(), shape) }, { start, end, ...options });
    return { ...result, rows: nested(result.y.y), keptRows: result.kept ? chunk(nested(result.kept.y), shape[1]) : [] };
  } finally {
    await program.dispose();
  }
}

/** Rows of a [rows, …] array. */
export function nested({ data, shape }: HostArray): number[][] {
  const width = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width)));
}

const chunk = (rows: number[][], width: number): number[][][] =>
  rows.map((row) => Array.from({ length: row.length / width }, (_, i) => row.slice(i * width, (i + 1) * width)));
