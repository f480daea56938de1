/**
 * Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): ten rounds of multiplying and
 * swapping that map a 64-bit key and a 128-bit counter to four random words. Tested with Random123's known answers.
 *
 * Takes 32-bit integers, signed or unsigned, and writes four words to `out` starting at `at`.
 */
export function philox(
  key0: number,
  key1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  out: Uint32Array,
  at = 0,
): void {
  let x0 = c0;
  let x1 = c1;
  let x2 = c2;
  let x3 = c3;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(0xd251, 0x1f53, x0);
    const high1 = highWord(0xcd9e, 0x8d57, x2);
    const low0 = Math.imul(0xd2511f53, x0);
    const low1 = Math.imul(0xcd9e8d57, x2);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[at] = x0;
  out[at + 1] = x1;
  out[at + 2] = x2;
  out[at + 3] = x3;
}

/** The upper half of the 64-bit product of a (given as two halves) and b: JavaScript has no such multiplication. */
function highWord(aHigh: number, aLow: number, b: number): number {
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * Fills `out` with the leading words of one sample: word w is word w mod 4 of the block at counter + ⌊w/4⌋, with the sample's
 * index added to the counter's second word. See the operator RandomBits. `out` is written up to the next multiple of 4 words.
 */
export function philoxSample(
  key: Uint32Array,
  counter: Uint32Array,
  sample: number,
  words: number,
  out: Uint32Array,
): void {
  const index = (counter[1] + sample) | 0;
  for (let w = 0; w < words; w += 4)
    philox(key[0], key[1], (counter[0] + (w >>> 2)) | 0, index, counter[2], counter[3], out, w);
}
