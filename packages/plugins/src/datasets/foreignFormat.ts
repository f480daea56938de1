/** The first bytes of files in other formats. */
const signatures: readonly (readonly [format: string, ...bytes: number[]])[] = [
  ['a NumPy .npy file', 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59],
  ['a zip archive, as .npz and .xlsx files are', 0x50, 0x4b, 0x03, 0x04],
  ['gzip data', 0x1f, 0x8b],
  ['Zstandard data', 0x28, 0xb5, 0x2f, 0xfd],
  ['an HDF5 file', 0x89, 0x48, 0x44, 0x46],
  ['a Parquet file', 0x50, 0x41, 0x52, 0x31],
  ['a PNG image', 0x89, 0x50, 0x4e, 0x47],
  ['a PDF document', 0x25, 0x50, 0x44, 0x46],
  ['UTF-16 text (little-endian)', 0xff, 0xfe],
  ['UTF-16 text (big-endian)', 0xfe, 0xff],
  ...[2, 3, 4, 5].map((protocol) => ['a Python pickle', 0x80, protocol] as const),
];

/** The name of the format whose signature these bytes start with; undefined if none is known. */
export const foreignFormat = (bytes: Uint8Array): string | undefined =>
  signatures.find(([, ...signature]) => signature.every((byte, i) => bytes[i] === byte))?.[0];
