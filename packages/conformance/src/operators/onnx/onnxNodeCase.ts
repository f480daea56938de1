import { allocate, hostArray, type DType, type HostArray, type Shape } from '@flow-matching/core';

/** A node test of the ONNX project: one operator, its inputs and what NumPy makes of them. */
export interface OnnxNodeCase {
  /** Without ONNX's `test_`. */
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  /** Tensors among them are host arrays. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** By position; null where an optional one is left out. ONNX's int64 is i32, which holds all of its values. */
  readonly inputs: readonly (HostArray | null)[];
  readonly outputs: readonly HostArray[];
}

let loaded: Promise<readonly OnnxNodeCase[]> | undefined;

/** All node cases. Their module is loaded when they are first asked for. */
export const onnxNodeCases = (): Promise<readonly OnnxNodeCase[]> =>
  (loaded ??= import('./nodeCases.generated.ts').then(({ nodeCases }) => JSON.parse(nodeCases, revived)));

/** Arrays are written as their bytes, little-endian, in base64. */
interface EncodedArray {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: string;
}

const revived = (_: string, value: unknown): unknown => (isEncoded(value) ? decoded(value) : value);

const isEncoded = (value: unknown): value is EncodedArray =>
  typeof (value as Partial<EncodedArray> | null)?.data === 'string';

function decoded({ dtype, shape, data }: EncodedArray): HostArray {
  const bytes = Uint8Array.from(atob(data), (character) => character.codePointAt(0)!);
  const array = allocate(dtype, bytes.length / allocate(dtype, 1).BYTES_PER_ELEMENT);
  new Uint8Array(array.buffer).set(bytes);
  return hostArray(array, shape, dtype);
}
