import type { FuzzRandom } from './random.ts';

/** Pieces that parsers treat in ways of their own, whatever the format. */
const pieces = [
  '',
  ' ',
  '\n',
  '\r',
  '\r\n',
  '\t',
  '\0',
  '\uFEFF',
  '\u2028',
  '\u00A0',
  '\u2212',
  '"',
  "'",
  '#',
  ',',
  ';',
  '|',
  ':',
  '-',
  '.',

  '0',
  '-0',
  '1',
  '-1',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '1e15',
  '0x10',
  '1.0D+00',
  '.inf',
  '.nan',
  'nan',
  'inf',
  'null',

  'true',
  '[]',
  '{}',
  '[[',
  '{{',
  '}',
  ']',
  '(',
  ')',
  '()',
  '<<: ',
  '*a',
  '&a ',
  '? ',
  '- ',
  '!!binary ',
  '!!set ',
  '---\n',
  '%YAML 3\n',

  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'name',
  'length',
  '\\',
  '\\u0000',
  '%s',
  '../',
  '😀',
  '\uD800',
  '+',
  '*',
  '/',
  '^',
  '**',
  ' ? 1 : 2',
  'x1',
  'x0',
  't',
  'pi',
  'sin(',
  'pow(t, 2)',
  '`',
  ' = ',
  '$',

  "'fortran_order': True",
  "'descr': '>f8'",
  "'shape': (3, 2)",
  '<c8',
  '|O',
  '"dtype":"F16"',
  '"data_offsets":[0,8]',
  '__metadata__',
];

const encoder = new TextEncoder();

/** A sample changed in one to six places: bytes flipped, set, cut or repeated, pieces put in, lines and fields exchanged. */
export function mutate(sample: Uint8Array, others: readonly Uint8Array[], random: FuzzRandom): Uint8Array {
  let bytes = sample;
  for (let left = 1 + random.below(6); left > 0; left--) bytes = random.pick(mutations)(bytes, others, random);
  return bytes;
}

type Mutation = (bytes: Uint8Array, others: readonly Uint8Array[], random: FuzzRandom) => Uint8Array;

const mutations: readonly Mutation[] = [
  (bytes, _, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, _, random) =>
    changed(bytes, random, () => random.pick([0, 1, 10, 13, 32, 127, 128, 254, 255, random.below(256)])),
  // A number of two, four or eight bytes, as headers hold lengths.
  (bytes, _, random) => {
    const copy = bytes.slice();
    const at = random.below(bytes.length + 1);
    copy.fill(random.pick([0, 255, 127]), at, at + random.pick([2, 4, 8]));
    return copy;
  },
  (bytes, _, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, _, random) => spliced(bytes, random, new Uint8Array(0), random.below(1 + Math.min(64, bytes.length))),
  (bytes, _, random) => spliced(bytes, random, encoder.encode(random.pick(pieces)), 0),
  (bytes, _, random) => spliced(bytes, random, encoder.encode(random.pick(pieces)), 1 + random.below(12)),
  (bytes, _, random) => spliced(bytes, random, encoder.encode(random.pick(pieces).repeat(1 + random.below(3000))), 0),
  (bytes, _, random) => spliced(bytes, random, part(bytes, random), 0),
  (bytes, others, random) => spliced(bytes, random, part(random.pick(others), random), random.below(32)),
  replacedToken,
  replacedLine,
];

function changed(bytes: Uint8Array, random: FuzzRandom, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(bytes.length);
  copy[at] = change(copy[at]);
  return copy;
}

function spliced(bytes: Uint8Array, random: FuzzRandom, inserted: Uint8Array, removed: number): Uint8Array {
  const at = random.below(bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed)]);
}

function part(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  const from = random.below(bytes.length + 1);
  return bytes.subarray(from, from + random.below(200));
}

/** A number or word of the text, where it is one, exchanged for a piece or for another of its words. */
function replacedToken(bytes: Uint8Array, _: readonly Uint8Array[], random: FuzzRandom): Uint8Array {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  const tokens = [...text.matchAll(/[\w.+-]+/g)];
  if (tokens.length === 0) return bytes;
  const { 0: token, index } = random.pick(tokens);
  const other = random.below(2) === 0 ? random.pick(pieces) : random.pick(tokens)[0];
  return Uint8Array.from([
    ...bytes.subarray(0, index),
    ...encoder.encode(other),
    ...bytes.subarray(index + token.length),
  ]);
}

/** A whole line exchanged for a piece. */
function replacedLine(bytes: Uint8Array, _: readonly Uint8Array[], random: FuzzRandom): Uint8Array {
  const starts = [0, ...[...bytes.keys()].filter((at) => bytes[at - 1] === 10)];
  const from = random.pick(starts);
  const end = bytes.indexOf(10, from);
  return Uint8Array.from([
    ...bytes.subarray(0, from),
    ...encoder.encode(random.pick(pieces)),
    ...(end < 0 ? [] : bytes.subarray(end)),
  ]);
}
