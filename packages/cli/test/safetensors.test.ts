import { hostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { CheckpointError } from '../src/errors.ts';

/** A file as the format's specification lays it out, byte by byte. */
function file(header: string, data: readonly number[], length = new TextEncoder().encode(header).length): Uint8Array {
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  return Uint8Array.of(...start, ...new TextEncoder().encode(header), ...data);
}

const entry = (dtype: string, shape: readonly number[], offsets: readonly number[]): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });
const twoFloats = [0, 0, 128, 63, 0, 0, 0, 192];

describe('safetensors', () => {
  it('reads a file laid out by hand after the specification', () => {
    const { metadata, tensors } = decodeSafetensors(
      'hand',
      file(`{"__metadata__":{"made":"by hand"},"a.b":${entry('F32', [2, 1], [0, 8])}}  `, twoFloats),
    );
    expect(metadata).to.deep.equal({ made: 'by hand' });
    expect(tensors).to.deep.equal({ 'a.b': { data: Float32Array.of(1, -2), shape: [2, 1], dtype: 'f32' } });
  });

  it('accepts a tensor name that could reach the prototype of an object', () => {
    const { metadata, tensors } = decodeSafetensors(
      'f',
      file(`{"__metadata__":{"__proto__":"x"},"__proto__":${entry('F32', [2], [0, 8])}}`, twoFloats),
    );
    expect([Object.keys(metadata), Object.keys(tensors)]).to.deep.equal([['__proto__'], ['__proto__']]);
    expect(Object.getPrototypeOf(tensors)).to.equal(Object.prototype);
  });

  it('reads and writes halves, whose numbers are in a Float32Array', () => {
    // 1, −2, the least of all and infinity, as IEEE 754 binary16.
    const bytes = file(`{"h":${entry('F16', [4], [0, 8])}}`, [0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c]);
    const tensors = { h: { data: Float32Array.of(1, -2, 2 ** -24, Infinity), shape: [4], dtype: 'f16' as const } };
    expect(decodeSafetensors('hand', bytes).tensors).to.deep.equal(tensors);
    const written = Buffer.concat(encodeSafetensors({ metadata: {}, tensors }));
    expect(written.subarray(-8).toString('hex')).to.equal('003c00c00100007c');
    expect(decodeSafetensors('written', written).tensors).to.deep.equal(tensors);
  });

  it('writes what the specification asks for: aligned data, offsets without gaps, a header padded with spaces', () => {
    const parts = encodeSafetensors({
      metadata: { k: 'v' },
      tensors: { byte: hostArray([1, 0, 1], [3], 'bool'), wide: hostArray([1.5], [], 'f64') },
    });
    const bytes = Buffer.concat(parts);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).to.equal(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).to.deep.equal({
      __metadata__: { k: 'v' },
      wide: { dtype: 'F64', shape: [], data_offsets: [0, 8] },
      byte: { dtype: 'BOOL', shape: [3], data_offsets: [8, 11] },
    });
    expect(bytes.subarray(8 + length).toString('hex')).to.equal('000000000000f83f010001');
  });

  it('reads back whatever it writes', () => {
    const tensor = fc.oneof(
      fc.float32Array({ maxLength: 9 }).map((data) => ({ data, shape: [data.length], dtype: 'f32' as const })),
      fc.float64Array({ maxLength: 9 }).map((data) => ({ data, shape: [1, data.length], dtype: 'f64' as const })),
      fc.int32Array({ maxLength: 9 }).map((data) => ({ data, shape: [data.length, 1], dtype: 'i32' as const })),
      fc.uint32Array({ maxLength: 9 }).map((data) => ({ data, shape: [data.length], dtype: 'u32' as const })),
    );
    const names = fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__');
    fc.assert(
      fc.property(
        fc.dictionary(names, tensor, { noNullPrototype: true }),
        fc.dictionary(names, fc.string(), { noNullPrototype: true }),
        (tensors, metadata) => {
          expect(decodeSafetensors('file', Buffer.concat(encodeSafetensors({ metadata, tensors })))).to.deep.equal({
            metadata,
            tensors,
          });
        },
      ),
      { seed: 1 },
    );
  });

  it('refuses every file that is cut short', () => {
    const whole = file(`{"a":${entry('F32', [2], [0, 8])}}`, twoFloats);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors('cut', whole.subarray(0, length)), `${length} bytes`).to.throw(
        CheckpointError,
        /^cut: /,
      );
    }
  });

  const f32 = entry('F32', [2], [0, 8]);
  const refused: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
    ['text', new TextEncoder().encode('layers.0.weight: [1, 2, 3]'), /no safetensors file/],
    ['a header longer than any', file('{}', [], 2 ** 40), /no safetensors file/],
    ['a header that is not JSON', file(`{"a":${f32}`, twoFloats), /header is not JSON/],
    [
      'a header that is no UTF-8',
      file('{"\u00e9":1}', []).map((byte) => (byte === 0xc3 ? 0xff : byte)),
      /header is not JSON/,
    ],
    ['metadata that is not text', file(`{"__metadata__":{"a":1},"a":${f32}}`, twoFloats), /metadata is not understood/],
    [
      'an unknown dtype',
      file(`{"a":${entry('F8_E4M3', [8], [0, 8])}}`, twoFloats),
      /'a' is of dtype F8_E4M3.*Expected one of F16, F32/,
    ],
    [
      'a dtype named like a method',
      file(`{"a":${entry('toString', [8], [0, 8])}}`, twoFloats),
      /'a' is of dtype toString/,
    ],
    ['a negative extent', file(`{"a":${entry('F32', [-2], [0, 8])}}`, twoFloats), /shape of tensor 'a'/],
    ['one offset', file(`{"a":${entry('F32', [2], [0])}}`, twoFloats), /place of tensor 'a'/],
    [
      'offsets that do not fit the shape',
      file(`{"a":${entry('F32', [3], [0, 8])}}`, twoFloats),
      /'a', F32\[3\], has 8 bytes.*Expected 12 bytes/,
    ],
    [
      'tensors that overlap',
      file(`{"a":${f32},"b":${entry('F32', [1], [4, 8])}}`, twoFloats),
      /'b' begins at byte 4.*Expected byte 8/,
    ],
    [
      'a hole between tensors',
      file(`{"a":${entry('F32', [1], [0, 4])},"b":${entry('F32', [1], [8, 12])}}`, [...twoFloats, 0, 0, 0, 0]),
      /'b' begins at byte 8.*Expected byte 4/,
    ],
    ['bytes that belong to no tensor', file(`{"a":${f32}}`, [...twoFloats, 0]), /1 bytes at the end/],
    ['no record', file(`{"a":7}`, []), /'a' is of dtype undefined/],
  ];
  for (const [what, bytes, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => decodeSafetensors('bad', bytes)).to.throw(CheckpointError, message);
    });
  }
});
