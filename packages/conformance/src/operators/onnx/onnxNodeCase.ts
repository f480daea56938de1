import { allocate, hostArray, type DType, type HostArray, type Shape } from '@flow-matching/tensor';

/** A node test of the ONNX project: one operator, its inputs and NumPy's results. */
export interface OnnxNodeCase {
  /** Without ONNX's `test_`. */
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  /** Tensors in them are host arrays. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** By position; null if an optional one is omitted. ONNX's int64 is stored as i32, which can represent all values used. */
  readonly inputs: readonly (HostArray | null)[];
  readonly outputs: readonly HostArray[];
}

let loaded: Promise<readonly OnnxNodeCase[]> | undefined;

/** All node cases. Their module is loaded on first use. */
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
  /** Its index among the arrays. */
  readonly data: number;
}

/** Replaces stored arrays by host arrays. Each case has its own. */
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
