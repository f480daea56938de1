import type { Backend } from '../backend/backend.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Symbolic } from '../graph/trace.ts';
import type { Tree } from '../graph/tree.ts';
import type { TensorType } from '../tensor/shape.ts';
import type { Program } from './program.ts';
import { TracedProgram, type JitOptions } from './tracedProgram.ts';

/**
 * Compiles a formula over trees: it is traced on a tree of types, and runs with trees of arrays.
 *
 *     const step = await jit(
 *       backend,
 *       ({ state, x }) => ({ state: { sum: state.sum.add(x) } }),
 *       { state: { sum: f32([2]) }, x: f32([2]) },
 *       { donate: ['state'] },
 *     );
 *     ({ state } = await step.run({ state, x }));
 *
 * Backends share the compilations of equal graphs, whatever formula they were traced from. Compile with a {@link ProgramCache} to
 * keep programs for later, and with a {@link TracedProgram} to trace only once.
 *
 * @param types nested records and arrays of types, or one type
 * @throws GraphError if a donated path is missing in the argument or the result, or has other leaves or types there; as {@link
 *   Backend.compile} does; and any error of the formula.
 */
export const jit = async <const Types extends Tree<TensorType>, Result extends Tree<Tensor>>(
  backend: Pick<Backend, 'compile'>,
  formula: (argument: Symbolic<Types>) => Result,
  types: Types,
  options: JitOptions = {},
): Promise<Program<Types, Result>> => new TracedProgram(formula, types, options).compile(backend);
