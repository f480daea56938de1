import { composite, type Attributes, type Tensor, add, mul, zerosLike } from '@flow-matching/tensor';

interface LinearCombinationAttributes extends Attributes {
  readonly coefficients: readonly number[];
}

/** Σ cᵢ·xᵢ of tensors of one shape: a composite, because a backend can add all terms in one pass. */
const LinearCombination = composite<LinearCombinationAttributes>('LinearCombination', (terms, { coefficients }) =>
  terms.map((term, i) => mul(term, coefficients[i])).reduce((sum, term) => add(sum, term)),
);

/** Σ cᵢ·xᵢ over the terms with a nonzero coefficient. */
export function linearCombination(coefficients: readonly number[], terms: readonly Tensor[]): Tensor {
  const used = terms
    .map((term, i) => ({ term, coefficient: coefficients[i] ?? 0 }))
    .filter(({ coefficient }) => coefficient !== 0);
  if (used.length === 0) return zerosLike(terms[0]);
  if (used.length === 1) return mul(used[0].term, used[0].coefficient);
  return LinearCombination(
    used.map(({ term }) => term),
    { coefficients: used.map(({ coefficient }) => coefficient) },
  )[0];
}
