import { allocate, hostArray, type DType, type HostArray, type Shape } from '@flow-matching/tensor';

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
  (loaded ??= import('./nodeCases.generated.ts').then(({ nodeCases }) => {
    const { arrays, cases } = JSON.parse(nodeCases) as StoredCases;
    return revived(cases, arrays) as readonly OnnxNodeCase[];
  }));

/** Cases share many of their arrays, so these are stored once: their bytes, little-endian, in base64. */
interface StoredCases {
  readonly arrays: readonly string[];
  readonly cases: unknown;
}

interface StoredArray {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Its place among the arrays. */
  readonly data: number;
}

/** With host arrays in place of the stored ones. Each case has its own. */
function revived(value: unknown, arrays: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => revived(part, arrays));
  if (isStored(value)) return decoded(value, arrays[value.data]);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, revived(part, arrays)]));
}

const isStored = (value: object): value is StoredArray => typeof (value as Partial<StoredArray>).data === 'number';

function decoded({ dtype, shape }: StoredArray, data: string): HostArray {
  const bytes = Uint8Array.from(atob(data), (character) => character.codePointAt(0)!);
  const array = allocate(dtype, bytes.length / allocate(dtype, 1).BYTES_PER_ELEMENT);
  new Uint8Array(array.buffer).set(bytes);
  return hostArray(array, shape, dtype);
}
