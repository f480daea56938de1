/** log Σ exp of host numbers in f64; −∞ for an empty list. */
export function hostLogSumExp(terms: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < terms.length; i++) if (terms[i] > largest) largest = terms[i];
  if (largest === -Infinity) return largest;
  let sum = 0;
  for (let i = 0; i < terms.length; i++) sum += Math.exp(terms[i] - largest);
  return largest + Math.log(sum);
}
