const sign = 0x8000;
const infinity = 0x7c00;
const notANumber = 0x7e00;
/** The smallest number that rounds to infinity: half-way between the largest f16, 65504, and the next power of two. */
const overflow = 65520;
/** The spacing of doubles in this range is 1, so adding and subtracting it rounds to integers, ties to even. */
const integral = 1.5 * 2 ** 52;

/** The f16 (IEEE 754 binary16) nearest to a number, ties to even; infinite for 65520 and above. */
export const roundToHalf = (value: number): number => halfOf(halfBits(value));

/** The bits of the f16 nearest to each number. */
export function toHalfBits(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = halfBits(values[i]);
  return bits;
}

function halfBits(value: number): number {
  const magnitude = Math.abs(value);
  const signBit = value < 0 || Object.is(value, -0) ? sign : 0;
  if (Number.isNaN(value)) return notANumber;
  if (magnitude >= overflow) return signBit | infinity;
  // The exponent of a power of two, at least that of the smallest normal f16.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const mantissa = magnitude * 2 ** (10 - exponent) + integral - integral;
  // A mantissa rounded up to the next power of two carries into the exponent; that of a subnormal number has no leading bit.
  return signBit | (((exponent + 14) << 10) + mantissa);
}

/** The numbers whose f16 bits are given. */
export function fromHalfBits(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halfOf(bits[i]);
  return values;
}

function halfOf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  const magnitude =
    exponent === 0x1f
      ? fraction === 0
        ? Infinity
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (0x400 + fraction) * 2 ** (exponent - 25);
  return bits & sign ? -magnitude : magnitude;
}
