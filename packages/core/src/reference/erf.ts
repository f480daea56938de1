/** The Gauss error function in f64, to a few units in the last place (Abramowitz & Stegun 7.1.6 and 7.1.14). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const size = Math.abs(x);
  if (size < 2) return series(x);
  return Math.sign(x) * (size < 6 ? 1 - complement(size) : 1);
}

/** 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): all terms of one sign, so nothing cancels. */
function series(x: number): number {
  let term = x;
  let sum = 0;
  for (let n = 1; sum + term !== sum; n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * sum;
}

/** 1 − erf(x) for x ≥ 2: exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the far end. */
function complement(x: number): number {
  let denominator = x;
  for (let n = 80; n >= 1; n--) denominator = x + n / 2 / denominator;
  return gaussian(x) / (Math.sqrt(Math.PI) * denominator);
}

/** exp(−x²), the square's rounding error kept out of the exponential: a few leading bits of x square exactly. */
function gaussian(x: number): number {
  const lead = Math.trunc(x * 16) / 16;
  return Math.exp(-lead * lead) * Math.exp(-(x - lead) * (x + lead));
}
