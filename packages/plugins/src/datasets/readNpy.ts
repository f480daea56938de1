import { DataError, fromHalfBits, sizeOf, type HostArray, type Shape } from '@flow-matching/core';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const elementTypes = {
  '<f2': { dtype: 'f16', bytes: 2, view: (buffer: ArrayBuffer) => fromHalfBits(new Uint16Array(buffer)) },
  '<f4': { dtype: 'f32', bytes: 4, view: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  '<f8': { dtype: 'f64', bytes: 8, view: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  '<i4': { dtype: 'i32', bytes: 4, view: (buffer: ArrayBuffer) => new Int32Array(buffer) },
} as const;

/**
 * The array in a NumPy .npy file (format versions 1 to 3): little-endian float16, float32, float64 or int32 in C order.
 *
 * @throws DataError naming the file and what is wrong with it.
 */
export function readNpy(file: string, bytes: Uint8Array): HostArray {
  const refuse = (problem: string, actual: unknown, expected: string, remedy?: string): never => {
    throw new DataError(`${file}: ${problem}.`, { actual, expected, ...(remedy !== undefined && { remedy }) });
  };
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) {
    refuse('this is no .npy file', bytes.slice(0, 6), 'a file that numpy.save wrote');
  }
  const major = bytes[6];
  if (major < 1 || major > 3) refuse(`the format version ${major} is not known`, major, 'version 1, 2 or 3');
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? 10 : 12;
  const end = start + (major === 1 ? words.getUint16(8, true) : words.getUint32(8, true));
  if (end > bytes.length) refuse('the header is cut short', bytes.length, `${end} bytes or more`);
  const { descr, fortran, shape } = parseHeader(
    new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, end)),
    refuse,
  );
  if (!(descr in elementTypes)) {
    refuse(
      `elements are of dtype ${descr}`,
      descr,
      'float16, float32, float64 or int32 (<f2, <f4, <f8, <i4)',
      'Convert the array with .astype("<f4").',
    );
  }
  if (fortran)
    refuse('the array is in Fortran order', 'fortran_order: True', 'C order', 'Save numpy.ascontiguousarray(array).');
  const { dtype, bytes: width, view } = elementTypes[descr as keyof typeof elementTypes];
  const expected = end + width * sizeOf(shape);
  if (bytes.length !== expected)
    refuse(
      `the file has ${bytes.length} bytes`,
      bytes.length,
      `${expected} bytes for ${descr} of shape [${shape.join(', ')}]`,
    );
  // A copy, because elements need not be aligned in the file's buffer, which may be a window into a larger one.
  return { data: view(new Uint8Array(bytes.subarray(end)).buffer), shape, dtype };
}

/** The header is a Python dictionary with three known keys. */
function parseHeader(
  header: string,
  refuse: (problem: string, actual: unknown, expected: string) => never,
): { descr: string; fortran: boolean; shape: Shape } {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || shape === undefined) {
    return refuse('the header is not understood', header, 'descr, fortran_order and shape of a plain array');
  }
  const extents = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return { descr, fortran: fortran === 'True', shape: extents };
}
