import { defineBackend } from '@flow-matching/core';
import {
  allocate,
  hostBackend,
  isFloat,
  prepareGraph,
  sizeOf,
  stridesOf,
  toStorage,
  type Backend,
  type DType,
  type Graph,
  type HostArray,
  type Manifest,
  type NamedHostArrays,
  type Node,
  type Shape,
  type Tensor,
  type TensorType,
  type TypedArray,
} from '@flow-matching/tensor';

/** Visits the elements of `shape` in row-major order, with the position of each in another array with these `strides`. */
function walk(shape: Shape, strides: readonly number[], visit: (own: number, other: number) => void, other = 0): void {
  const [index, count] = [shape.map(() => 0), sizeOf(shape)];
  for (let own = 0; own < count; own++) {
    visit(own, other);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      other += strides[axis];
      if (++index[axis] < shape[axis]) break;
      other -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/** An array of `type` with the elements of `data` that a walk with these strides visits. */
function read(data: TypedArray, { shape, dtype }: TensorType, strides: readonly number[], first = 0): TypedArray {
  const result = allocate(dtype, sizeOf(shape));
  walk(shape, strides, (own, other) => (result[own] = data[other]), first);
  return result;
}

/** An array broadcast to `shape`: strides are 0 along axes of extent 1 and along missing axes. */
function spread({ data, shape: from, dtype }: HostArray, shape: Shape): TypedArray {
  const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
  return read(data, { shape, dtype }, [...shape.slice(from.length).fill(0), ...strides]);
}

/** The attributes of the operators below, under their ONNX names; each operator has some of them. */
interface Attributes extends Readonly<Record<'axes' | 'perm' | 'starts' | 'steps' | 'pads', readonly number[]>> {
  readonly axis: number;
  readonly value: number;
}
/** Computes the elements of an operator's single result, of `type`. */
type Kernel = (inputs: readonly HostArray[], type: TensorType, attributes: Attributes) => TypedArray;
type Formula = (a: number, b: number, c: number) => number;

/** Elementwise. Storing a number rounds it to f32, or wraps an integer modulo 2³². */
const each =
  (float: Formula, integer: Formula = float): Kernel =>
  (inputs, { shape, dtype }) => {
    const [a, b = a, c = a] = inputs.map((input) => spread(input, shape));
    const formula = isFloat(inputs[0].dtype) ? float : integer;
    return allocate(dtype, sizeOf(shape)).map((_, i) => formula(a[i], b[i], c[i]));
  };

/** Folds the reduced elements into one each, starting from `start`. */
const reduce =
  (start: number, fold: (sum: number, element: number) => number): Kernel =>
  ([x], { shape, dtype }, { axes }) => {
    const result = allocate(dtype, sizeOf(shape)).fill(start);
    const kept = stridesOf(x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)));
    const strides = kept.map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    walk(x.shape, strides, (own, other) => (result[other] = fold(result[other], x.data[own])));
    return result;
  };

/** [..., rows, inner] × [..., inner, columns]. Every partial sum is stored and therefore rounded. */
const matmul: Kernel = ([a, b], { shape, dtype }) => {
  const [lead, [rows, columns], inner] = [shape.slice(0, -2), shape.slice(-2), a.shape[a.shape.length - 1]];
  const [left, right] = [spread(a, [...lead, rows, inner]), spread(b, [...lead, inner, columns])];
  const times = isFloat(dtype) ? (x: number, y: number): number => x * y : Math.imul;
  const result = allocate(dtype, sizeOf(shape));
  left.forEach((factor, i) => {
    const [row, k] = [Math.floor(i / inner), i % inner];
    const [to, from] = [row * columns, (Math.floor(row / rows) * inner + k) * columns];
    for (let j = 0; j < columns; j++) result[to + j] += times(factor, right[from + j]);
  });
  return result;
};

const transpose: Kernel = ([x], type, { perm }) => {
  const strides = stridesOf(x.shape);
  const permuted = perm.map((axis) => strides[axis]);
  return read(x.data, type, permuted);
};

const slice: Kernel = ([x], type, { starts, steps }) => {
  const strides = stridesOf(x.shape);
  const first = strides.reduce((sum, stride, axis) => sum + stride * starts[axis], 0);
  const stepped = strides.map((stride, axis) => stride * steps[axis]);
  return read(x.data, type, stepped, first);
};

const pad: Kernel = ([x], { shape, dtype }, { pads, value }) => {
  const [result, strides] = [allocate(dtype, sizeOf(shape)).fill(value), stridesOf(shape)];
  const first = strides.reduce((sum, stride, axis) => sum + stride * pads[axis], 0);
  walk(x.shape, strides, (own, other) => (result[other] = x.data[own]), first);
  return result;
};

/** Concatenates inputs along an axis: each is written into the result after the previous one. */
const concat: Kernel = (inputs, { shape, dtype }, { axis }) => {
  const [result, strides] = [allocate(dtype, sizeOf(shape)), stridesOf(shape)];
  let first = 0;
  for (const x of inputs) {
    walk(x.shape, strides, (own, other) => (result[other] = x.data[own]), first);
    first += x.shape[axis] * strides[axis];
  }
  return result;
};

const cast: Kernel = ([{ data }], { dtype }) =>
  toStorage(dtype === 'bool' ? Array.from(data, (value) => Number(value !== 0)) : data, dtype);

const [float, bool]: readonly DType[][] = [['f32'], ['bool']];
const number: readonly DType[] = ['f32', 'i32', 'u32'];
const all: readonly DType[] = [...number, 'bool'];

/** The operators of this backend, their dtypes, and their kernels. */
const kernels: Readonly<Record<string, readonly [dtypes: readonly DType[], kernel: Kernel]>> = {
  Add: [number, each((a, b) => a + b)],
  Sub: [number, each((a, b) => a - b)],
  Mul: [number, each((a, b) => a * b, Math.imul)],
  Neg: [number, each((x) => -x)],
  Abs: [number, each(Math.abs)],
  Sign: [number, each(Math.sign)],
  Max: [number, each((a, b) => Math.max(a, b))],
  Min: [number, each((a, b) => Math.min(a, b))],
  Div: [float, each((a, b) => a / b)],
  Reciprocal: [float, each((x) => 1 / x)],
  Sqrt: [float, each(Math.sqrt)],
  // Unlike in JavaScript, 1 to any power is 1 in ONNX.
  Pow: [float, each((a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b))],
  Floor: [float, each(Math.floor)],
  Exp: [float, each(Math.exp)],
  Log: [float, each(Math.log)],
  Expm1: [float, each(Math.expm1)],
  Log1p: [float, each(Math.log1p)],
  Sin: [float, each(Math.sin)],
  Cos: [float, each(Math.cos)],
  Tanh: [float, each(Math.tanh)],
  Sigmoid: [float, each((x) => 1 / (1 + Math.exp(-x)))],
  Equal: [all, each((a, b) => Number(a === b))],
  Less: [number, each((a, b) => Number(a < b))],
  LessOrEqual: [number, each((a, b) => Number(a <= b))],
  IsNaN: [float, each((x) => Number(Number.isNaN(x)))],
  And: [bool, each((a, b) => a & b)],
  Or: [bool, each((a, b) => a | b)],
  Not: [bool, each((x) => 1 - x)],
  Where: [all, each((condition, a, b) => (condition ? a : b))],
  Cast: [all, cast],
  Reshape: [all, ([x]) => x.data],
  Barrier: [all, ([x]) => x.data],
  Expand: [all, ([x], { shape }) => spread(x, shape)],
  Transpose: [all, transpose],
  Slice: [all, slice],
  Pad: [all, pad],
  Concat: [all, concat],
  ReduceSum: [number, reduce(0, (sum, x) => sum + x)],
  ReduceMax: [float, reduce(-Infinity, Math.max)],
  ReduceMin: [float, reduce(Infinity, Math.min)],
  MatMul: [number, matmul],
};
const manifest: Manifest = new Map(Object.entries(kernels).map(([name, [dtypes]]) => [name, dtypes]));

/** Runs every node in turn: nodes are listed in an order in which they can be computed. */
function interpret(graph: Graph, inputs: NamedHostArrays): NamedHostArrays {
  const values = new Map<Tensor, HostArray>(graph.inputs.map(({ name, tensor }) => [tensor, inputs[name]]));
  for (const node of graph.nodes) {
    const [result] = node.outputs;
    const operands = node.inputs.map((tensor) => values.get(tensor)!);
    const { shape, dtype } = result;
    if (!values.has(result)) values.set(result, { data: compute(node, operands), shape, dtype });
  }
  return Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, values.get(tensor)!]));
}

function compute({ operator, attributes, outputs: [type] }: Node, inputs: readonly HostArray[]): TypedArray {
  // Constants are kept in f64; the backend rounds them.
  if (operator.name === 'Constant') return toStorage(attributes['data'] as TypedArray, type.dtype);
  return kernels[operator.name][1](inputs, type, attributes as unknown as Attributes);
}

/** Interprets graphs in this process, on Float32Array, Int32Array, Uint32Array and Uint8Array. */
const eagerBackend = (): Backend =>
  hostBackend({
    name: 'eager',
    device: 'cpu, interpreted in f32',
    manifest,
    compile(source) {
      // Decomposes composites, turns random draws into inputs, and refuses operators that the manifest lacks.
      const { graph, randomness } = prepareGraph(source, manifest, 'eager');
      return (inputs) => interpret(graph, { ...inputs, ...randomness?.draw(inputs) });
    },
  });

/** The backend as a plugin: `backend: eager` in an experiment file that names this package under `plugins`. */
export default defineBackend({
  name: 'eager',
  summary: 'Interpreted in f32 in this process: an example',
  create: eagerBackend,
});
