import {
  allocate,
  formatShape,
  fromHalfBits,
  sizeOf,
  toHalfBits,
  type DType,
  type HostArray,
  oneLine,
} from '@flow-matching/tensor';
import { CheckpointError } from '../errors.ts';

// Implemented here, because npm has no maintained library that writes the format. Specification:
// https://github.com/huggingface/safetensors#format

const dtypes = { F16: 'f16', F32: 'f32', F64: 'f64', I32: 'i32', U32: 'u32', BOOL: 'bool' } as const satisfies Record<
  string,
  DType
>;
type StoredDType = keyof typeof dtypes;
const widths: Readonly<Record<StoredDType, number>> = { F16: 2, F32: 4, F64: 8, I32: 4, U32: 4, BOOL: 1 };

/** Longer headers are refused, as in the reference implementation: in a file of another format the length is garbage. */
const longestHeader = 100_000_000;

interface Entry {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

/** The content of a .safetensors file: tensors by name and text by key. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly tensors: Readonly<Record<string, HostArray>>;
}

const storedAs = ({ data, dtype }: HostArray): StoredDType => {
  // The reference backend keeps f32 values unrounded in f64; f16 is stored as halves.
  const wide = data instanceof Float64Array && dtype === 'f32' ? 'f64' : dtype;
  return (Object.keys(dtypes) as StoredDType[]).find((name) => dtypes[name] === wide)!;
};

/** The parts of a .safetensors file, to be written in order. Wide elements come first, so that all are aligned. */
export function encodeSafetensors({ metadata, tensors }: Safetensors): Uint8Array[] {
  const ordered = Object.entries(tensors).toSorted(([, a], [, b]) => widths[storedAs(b)] - widths[storedAs(a)]);
  const parts = ordered.map(([, array]) => bytesOf(array));
  let offset = 0;
  const entries = ordered.map(([name, array], i) => {
    const begin = offset;
    offset += parts[i].byteLength;
    return [name, { dtype: storedAs(array), shape: array.shape, data_offsets: [begin, offset] }] as const;
  });
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const unpadded = new TextEncoder().encode(text);
  // Padded with spaces, as specified, to the alignment of 8-byte elements.
  const header = new Uint8Array(Math.ceil(unpadded.length / 8) * 8).fill(0x20);
  header.set(unpadded);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return [length, header, ...parts];
}

/** The elements as stored in the file. */
function bytesOf(array: HostArray): Uint8Array {
  const { data } = array;
  const stored = storedAs(array) === 'F16' ? toHalfBits(data) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/** An array from its elements in the file, which may be unaligned. */
function arrayOf(dtype: StoredDType, shape: HostArray['shape'], bytes: Uint8Array): HostArray {
  if (dtype === 'F16')
    return { data: fromHalfBits(new Uint16Array(new Uint8Array(bytes).buffer)), shape, dtype: 'f16' };
  const data = allocate(dtypes[dtype], sizeOf(shape));
  new Uint8Array(data.buffer).set(bytes);
  return { data, shape, dtype: dtypes[dtype] };
}

/**
 * Reads a .safetensors file: every byte must be accounted for.
 *
 * @throws CheckpointError naming the file and the place: too short, no header, an unknown dtype, ranges that overlap, leave
 *   gaps or do not match the shape.
 */
export function decodeSafetensors(file: string, bytes: Uint8Array): Safetensors {
  const refuse = (problem: string, actual: unknown, expected: string): never => {
    throw new CheckpointError(`${oneLine(file)}: ${problem}.`, { actual, expected });
  };
  if (bytes.length < 8)
    refuse(`the file has ${bytes.length} bytes`, bytes.length, 'a safetensors file, which has 8 at least');
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > longestHeader || bytes[8] !== 0x7b)
    refuse('this is no safetensors file', [...bytes.subarray(0, 9)], 'a header length and a JSON header');
  const start = 8 + Number(length);
  if (start > bytes.length)
    refuse(`the file is cut short within its header, at ${bytes.length} bytes`, bytes.length, `${start} bytes or more`);
  const header = parseHeader(bytes.subarray(8, start), refuse);
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    refuse('the metadata is not understood', metadata, 'texts by key');
  const size = bytes.length - start;
  let end = 0;
  const tensors: [name: string, array: HostArray][] = [];
  const byOffset = Object.entries(entries).map(([name, entry]) => [name, checkedEntry(name, entry, refuse)] as const);
  for (const [name, { dtype, shape, data_offsets }] of byOffset.toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )) {
    const [from, to] = data_offsets;
    if (from !== end)
      refuse(`tensor '${name}' begins at byte ${from} of the data`, from, `byte ${end}, where the one before ends`);
    if (to > size)
      refuse(
        `the file is cut short: tensor '${name}' ends at byte ${to} of the data, and there are ${size}`,
        bytes.length,
        `${start + to} bytes or more`,
      );
    tensors.push([name, arrayOf(dtype, shape, bytes.subarray(start + from, start + to))]);
    end = to;
  }
  if (end !== size) refuse(`${size - end} bytes at the end belong to no tensor`, size, `${end} bytes of data`);
  // From entries, so that a tensor named __proto__ is a property like any other.
  return { metadata: metadata as Record<string, string>, tensors: Object.fromEntries(tensors) };
}

type Refuse = (problem: string, actual: unknown, expected: string) => never;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isExtent = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseHeader(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isRecord(header) ? header : refuse('the header is no record', header, 'tensors by name');
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    return refuse(`the header is not JSON: ${(cause as Error).message}`, undefined, 'a JSON header');
  }
}

function checkedEntry(name: string, entry: unknown, refuse: Refuse): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype))
    return refuse(`tensor '${name}' is of dtype ${String(dtype)}`, dtype, `one of ${Object.keys(dtypes).join(', ')}`);
  if (!Array.isArray(shape) || !shape.every(isExtent))
    return refuse(`the shape of tensor '${name}' is not understood`, shape, 'non-negative integers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isExtent))
    return refuse(`the place of tensor '${name}' is not understood`, offsets, 'two byte offsets');
  const bytes = sizeOf(shape) * widths[dtype as StoredDType];
  if (offsets[1] - offsets[0] !== bytes)
    return refuse(
      `tensor '${name}', ${dtype}${formatShape(shape)}, has ${offsets[1] - offsets[0]} bytes`,
      offsets,
      `${bytes} bytes`,
    );
  return { dtype: dtype as StoredDType, shape, data_offsets: [offsets[0], offsets[1]] };
}
