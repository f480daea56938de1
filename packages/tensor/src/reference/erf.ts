/** The Gauss error function in f64, to four units in the last place (Abramowitz & Stegun 7.1.6 and 7.1.14). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const size = Math.abs(x);
  if (size < 1.4) return series(x);
  return Math.sign(x) * (size < 6 ? 1 - complement(size) : 1);
}

/** 2/√π · exp(−x²) · x · (1 + 2x²/3 · (1 + 2x²/5 · (1 + …))): all terms have one sign, so nothing cancels; evaluated from the far end. */
function series(x: number): number {
  let sum = 1;
  for (let n = 40; n >= 1; n--) sum = 1 + ((2 * x * x) / (2 * n + 1)) * sum;
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * sum * x;
}

/** 1 − erf(x) for x ≥ 1.4: exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the far end. */
function complement(x: number): number {
  let denominator = x;
  for (let n = 120; n >= 1; n--) denominator = x + n / 2 / denominator;
  return gaussian(x) / (Math.sqrt(Math.PI) * denominator);
}

/** exp(−x²) without the rounding error of the square in the exponential: the leading bits of x are squared exactly. */
function gaussian(x: number): number {
  const lead = Math.trunc(x * 16) / 16;
  return Math.exp(-lead * lead) * Math.exp(-(x - lead) * (x + lead));
}
