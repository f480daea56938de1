import {
  f16,
  fromHalfBits,
  hostArray,
  roundToHalf,
  toHalfBits,
  toStorage,
  trace,
  createReferenceBackend,
} from '@flow-matching/tensor';
import { expect } from 'chai';
import * as fc from 'fast-check';

const bitsOf = (value: number): number => toHalfBits([value])[0];

describe('f16', () => {
  // IEEE 754-2008, table 3.5 and section 4.3.1: binary16 has 5 bits of exponent, 10 of fraction.
  it('has the numbers of IEEE 754 binary16', () => {
    const known: readonly (readonly [number, number])[] = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 2 ** -14 - 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3bff, 1 - 2 ** -11],
      [0x3c00, 1],
      [0x3c01, 1 + 2 ** -10],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
    ];
    for (const [bits, value] of known) {
      expect(fromHalfBits(Uint16Array.of(bits))[0], bits.toString(16)).to.equal(value);
      expect(bitsOf(value), `${value}`).to.equal(bits);
    }
    expect(fromHalfBits(Uint16Array.of(0x7c01, 0xfe00)).every(Number.isNaN)).to.equal(true);
    expect(Object.is(fromHalfBits(Uint16Array.of(0x8000))[0], -0)).to.equal(true);
    expect(bitsOf(-0)).to.equal(0x8000);
    expect(bitsOf(Number.NaN)).to.equal(0x7e00);
  });

  it('gives every pattern of bits back', () => {
    const finite = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((bits) => (bits & 0x7fff) <= 0x7c00);
    expect(toHalfBits(fromHalfBits(finite))).to.deep.equal(finite);
  });

  it('rounds to the nearest number, ties to even, from doubles at once', () => {
    for (const [value, rounded] of [
      [2049, 2048],
      [2051, 2052],
      [2049 + 2 ** -30, 2050],
      [65519.999, 65504],
      [65520, Infinity],
      [-1e300, -Infinity],
      [2 ** -25, 0],
      [2 ** -25 + 2 ** -60, 2 ** -24],
      [3 * 2 ** -25, 2 ** -23],
      // Through f32 it would be a tie, and go down.
      [1 + 2 ** -11 + 2 ** -40, 1 + 2 ** -10],
    ]) {
      expect(roundToHalf(value), `${value}`).to.equal(rounded);
      expect(fromHalfBits(toHalfBits([value]))[0], `${value}`).to.equal(rounded);
    }
    const { f16round } = Math as { f16round?: (value: number) => number };
    const neighbours = fc.property(fc.double({ noNaN: true, min: -70000, max: 70000 }), (value) => {
      const rounded = roundToHalf(value);
      expect(fromHalfBits(toHalfBits([value]))[0]).to.equal(rounded);
      if (f16round) expect(f16round(value)).to.equal(rounded);
      const bits = bitsOf(Math.abs(value));
      const others = fromHalfBits(Uint16Array.of(Math.max(0, bits - 1), Math.min(0x7bff, bits + 1)));
      if (Number.isFinite(rounded))
        for (const other of others)
          expect(Math.abs(Math.abs(value) - Math.abs(rounded))).to.be.at.most(Math.abs(Math.abs(value) - other));
    });
    fc.assert(neighbours, { numRuns: 2000 });
  });

  it('is held as numbers, rounded where they are stored', () => {
    expect(toStorage([1 / 3, 1e5, 2049], 'f16')).to.deep.equal(Float32Array.of(0.333251953125, Infinity, 2048));
    expect(hostArray([1 / 3], [1], 'f16').data[0]).to.equal(0.333251953125);
  });

  it('has all operators in the reference', async () => {
    await using backend = createReferenceBackend();
    const graph = trace(({ x }) => ({ y: x.mul(x).add(1).cast('f32') }), { x: f16([2]) });
    expect(graph.outputs[0].tensor.toString()).to.include('f32[2]');
    const executable = await backend.compile(graph);
    const { y } = await executable.run({ x: hostArray([2, 3], [2], 'f16') });
    expect(Array.from(await y.read(), Number)).to.deep.equal([5, 10]);
  });
});
