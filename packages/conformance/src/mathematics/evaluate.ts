import { hostArray, type HostArray, type Shape, type Tensor } from '@flow-matching/tensor';
import { referenceOf, resultsOf, type Formula } from '../case/agreement.ts';
import type { CaseContext } from '../case/conformanceCase.ts';

export type Arrays = Readonly<Record<string, HostArray>>;
/** A formula with named inputs and outputs. */
export type NamedFormula = (inputs: Record<string, Tensor>) => Readonly<Record<string, Tensor>>;

/** Numbers rounded to f32, so that every backend gets the same. */
export const floats = (values: readonly number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Float32Array.from(values), shape);

/** A formula's outputs on the case's backend, by name. */
export async function evaluate(
  context: CaseContext,
  formula: NamedFormula,
  inputs: Arrays,
): Promise<Record<string, HostArray>> {
  const { positional, named } = unnamed(formula, Object.keys(inputs));
  return named(await resultsOf(context, positional, Object.values(inputs)));
}

/** The same on the reference in f64. */
export function evaluateInDouble(formula: NamedFormula, inputs: Arrays): Record<string, HostArray> {
  const { positional, named } = unnamed(formula, Object.keys(inputs));
  return named(referenceOf(positional, Object.values(inputs)));
}

function unnamed(
  formula: NamedFormula,
  inputs: readonly string[],
): { positional: Formula; named: (results: readonly HostArray[]) => Record<string, HostArray> } {
  let outputs: string[] = [];
  return {
    positional: (...tensors) => {
      const results = formula(Object.fromEntries(inputs.map((name, i) => [name, tensors[i]])));
      outputs = Object.keys(results);
      return Object.values(results);
    },
    named: (results) => Object.fromEntries(outputs.map((name, i) => [name, results[i]])),
  };
}
