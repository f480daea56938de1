import {
  DataError,
  formatShape,
  fromHalfBits,
  sizeOf,
  type DType,
  type HostArray,
  type Shape,
  type TypedArray,
} from '@flow-matching/tensor';
import { foreignFormat } from './foreignFormat.ts';
import { rowMajor } from './rowMajor.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

type Integers = Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

/** How the elements of a dtype are read from bytes in this machine's order. */
interface ElementType {
  readonly bytes: number;
  readonly dtype: DType;
  /** Only for integers that float32 may round. */
  readonly integers?: (buffer: ArrayBuffer) => Integers;
  readonly read: (buffer: ArrayBuffer) => TypedArray;
}

const integerType = (bytes: number, integers: (buffer: ArrayBuffer) => Integers): ElementType => ({
  bytes,
  dtype: 'f32',
  integers,
  read: (buffer) => toFloats(integers(buffer)),
});

/** By NumPy's letter and width of a dtype. */
const elementTypes: Readonly<Record<string, ElementType>> = {
  f2: { bytes: 2, dtype: 'f16', read: (buffer) => fromHalfBits(new Uint16Array(buffer)) },
  f4: { bytes: 4, dtype: 'f32', read: (buffer) => new Float32Array(buffer) },
  f8: { bytes: 8, dtype: 'f64', read: (buffer) => new Float64Array(buffer) },
  b1: {
    bytes: 1,
    dtype: 'f32',
    read: (buffer) => Float32Array.from(new Uint8Array(buffer), (value) => (value ? 1 : 0)),
  },
  i1: { bytes: 1, dtype: 'f32', read: (buffer) => new Float32Array(new Int8Array(buffer)) },
  u1: { bytes: 1, dtype: 'f32', read: (buffer) => new Float32Array(new Uint8Array(buffer)) },
  i2: { bytes: 2, dtype: 'f32', read: (buffer) => new Float32Array(new Int16Array(buffer)) },
  u2: { bytes: 2, dtype: 'f32', read: (buffer) => new Float32Array(new Uint16Array(buffer)) },
  i4: integerType(4, (buffer) => new Int32Array(buffer)),
  u4: integerType(4, (buffer) => new Uint32Array(buffer)),
  i8: integerType(8, (buffer) => new BigInt64Array(buffer)),
  u8: integerType(8, (buffer) => new BigUint64Array(buffer)),
};

/** Dtypes that are not real numbers or not supported by this machine: a description, and what to save instead. */
const refusedTypes: readonly (readonly [dtype: RegExp, what: string, remedy: string])[] = [
  [/^\[/, 'records', 'Save numpy.lib.recfunctions.structured_to_unstructured(array).'],
  [/^.?c\d+$/, 'complex numbers', 'Save numpy.stack([array.real, array.imag], axis=-1).'],
  [/^.?O/, 'Python objects', 'Convert the array with .astype("<f4").'],
  [/^.?[US]\d*$/, 'text', 'Convert the array with .astype("<f4").'],
  [/^.?[Mm]8/, 'dates or durations', 'Convert the array with .astype("<i8").'],
];

/** An array of a .npy file. */
export interface NpyArray extends HostArray {
  /** Integers that float32 rounds: their number, and the first of them as stored in the file. */
  readonly rounded?: { readonly count: number; readonly first: string };
}

/**
 * The array in a NumPy .npy file (format versions 1 to 3) in C order: booleans, integers of 8 to 64 bits and floats of 16 to
 * 64, in either byte order, saved in C or Fortran order.
 *
 * @throws DataError naming the file and the problem.
 */
export function readNpy(file: string, bytes: Uint8Array): NpyArray {
  const refuse: Refuse = (problem, actual, expected, remedy) => {
    throw new DataError(`${file}${problem}.`, { actual, expected, ...(remedy !== undefined && { remedy }) });
  };
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) {
    const format = foreignFormat(bytes);
    refuse(
      ` is not a .npy file${format === undefined ? '' : ` but ${format}`}`,
      bytes.slice(0, 6),
      'a file that numpy.save wrote',
    );
  }
  const major = bytes[6];
  if (major < 1 || major > 3) refuse(`: the format version ${major} is not known`, major, 'version 1, 2 or 3');
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? 10 : 12;
  const end = start + (major === 1 ? words.getUint16(8, true) : words.getUint32(8, true));
  if (end > bytes.length) refuse(': the header is cut short', bytes.length, `${end} bytes or more`);
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, end));
  const { type, swapped, fortran, shape } = parseHeader(header, refuse);
  const expected = end + type.bytes * sizeOf(shape);
  if (bytes.length !== expected)
    refuse(
      ` has ${bytes.length} bytes`,
      bytes.length,
      `${expected} bytes for ${type.bytes} an element of shape ${formatShape(shape)}`,
    );
  // A copy, because elements need not be aligned in the file's buffer, which may be a view of a larger one.
  const own = new Uint8Array(bytes.subarray(end));
  if (swapped) reverseBytes(own, type.bytes);
  const data = fortran ? rowMajor(type.read(own.buffer), shape) : type.read(own.buffer);
  const rounded = type.integers && roundedAmong(type.integers(own.buffer));
  return { data, shape, dtype: type.dtype, ...(rounded && { rounded }) };
}

type Refuse = (problem: string, actual: unknown, expected: string, remedy?: string) => never;

interface Header {
  readonly type: ElementType;
  /** Whether the byte order differs from this machine's. */
  readonly swapped: boolean;
  readonly fortran: boolean;
  readonly shape: Shape;
}

/** The header is a Python dictionary with three known keys. */
function parseHeader(header: string, refuse: Refuse): Header {
  const valueOf = (key: string, pattern: string): string | undefined =>
    new RegExp(`['"]${key}['"]\\s*:\\s*(${pattern})`).exec(header)?.[1];
  const descr = valueOf('descr', `'[^']*'|"[^"]*"|\\[.*?\\](?=\\s*,\\s*['"]|\\s*})`)?.replace(/^['"]|['"]$/g, '');
  const order = valueOf('fortran_order', 'True|False');
  const shape = valueOf('shape', `\\((?:[^()]|\\([^()]*\\))*\\)|\\[[^\\]]*\\]`);
  if (descr === undefined || order === undefined || shape === undefined) {
    return refuse(': the header is not understood', header, 'descr, fortran_order and shape');
  }
  return { ...elementType(descr, refuse), fortran: order === 'True', shape: parseShape(shape, refuse) };
}

function elementType(descr: string, refuse: Refuse): Pick<Header, 'type' | 'swapped'> {
  const [, order, code] = /^([<>=|])?(\w+)$/.exec(descr) ?? [];
  if (code !== undefined && Object.hasOwn(elementTypes, code)) {
    return { type: elementTypes[code], swapped: order === (littleEndian ? '>' : '<') };
  }
  const [, what, remedy] = refusedTypes.find(([pattern]) => pattern.test(descr)) ?? [];
  return refuse(
    what === undefined ? `: there is no reader for the dtype '${descr}'` : ` holds ${what} (dtype ${descr})`,
    descr,
    'booleans, integers of 8 to 64 bits, or floats of 16 to 64',
    remedy ?? 'Convert the array with .astype("<f4").',
  );
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A tuple as Python 3, Python 2 (`3L`) or NumPy 2's repr (`np.int64(3)`) writes it. */
function parseShape(tuple: string, refuse: Refuse): Shape {
  const parts = tuple
    .slice(1, -1)
    .split(',')
    .map((part) => part.trim());
  const extents = parts
    .filter((part, i) => part !== '' || i < parts.length - 1)
    .map((part) => Number(/^(?:[\w.]+\()?(\d+)L?\)?$/.exec(part)?.[1] ?? NaN));
  return extents.every(Number.isSafeInteger)
    ? extents
    : refuse(`: the shape ${tuple} is not understood`, tuple, 'non-negative integers');
}

function reverseBytes(bytes: Uint8Array, width: number): void {
  for (let begin = 0; begin < bytes.length; begin += width) {
    for (let low = begin, high = begin + width - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}

function toFloats(integers: Integers): Float32Array {
  const floats = new Float32Array(integers.length);
  for (let i = 0; i < integers.length; i++) floats[i] = Number(integers[i]);
  return floats;
}

/** Integers up to here are exact in float32. */
const exact = 2 ** 24;

function roundedAmong(integers: Integers): NpyArray['rounded'] {
  let count = 0;
  let first = '';
  for (let i = 0; i < integers.length; i++) {
    const value = integers[i];
    if (value >= -exact && value <= exact) continue;
    const float = Math.fround(Number(value));
    if (typeof value === 'bigint' ? BigInt(float) === value : float === value) continue;
    if (count++ === 0) first = String(value);
  }
  return count === 0 ? undefined : { count, first };
}
