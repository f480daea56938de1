import {
  abs,
  add,
  and,
  averagePool2d,
  cast,
  concat,
  constant,
  conv2d,
  ConvInputGradient,
  cos,
  div,
  equal,
  exp,
  expand,
  expm1,
  floor,
  full,
  gather,
  gelu,
  greater,
  greaterOrEqual,
  groupNorm,
  identity,
  layerNorm,
  less,
  lessOrEqual,
  log,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  not,
  or,
  pad,
  pow,
  range,
  reciprocal,
  reduceMax,
  reduceMin,
  reduceSum,
  relu,
  reshape,
  scaledDotProductAttention,
  scatterAdd,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  sub,
  tanh,
  transpose,
  upsampleNearest2d,
  variance,
  where,
  apply,
  broadcastShapes,
  normalizeAxis,
  type HostArray,
  type Tensor,
} from '@flow-matching/tensor';
import { NodeCaseReader } from './nodeCaseReader.ts';
import type { OnnxNodeCase } from './onnxNodeCase.ts';

type Convert = (read: NodeCaseReader) => Tensor | readonly Tensor[];

const unary =
  (f: (x: Tensor) => Tensor): Convert =>
  (read) =>
    f(read.x(0));
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Convert =>
  (read) =>
    f(read.x(0), read.x(1));
/** n operands, folded. */
const folded =
  (f: (a: Tensor, b: Tensor) => Tensor): Convert =>
  ({ tensors }) =>
    tensors.slice(1).reduce(f, identity(tensors[0]));

type Reduce = (x: Tensor, axes: readonly number[] | undefined, options: { keepdims: boolean }) => Tensor;
const reduced =
  (f: Reduce): Convert =>
  (read) => {
    const axes = read.static(1) ?? (read.case.attributes['axes'] as number[] | undefined);
    const none = axes === undefined || axes.length === 0;
    if (none && read.number('noop_with_empty_axes', 0) === 1) return identity(read.x(0));
    return f(read.x(0), none ? undefined : axes, { keepdims: read.number('keepdims', 1) === 1 });
  };

/** ONNX's pads for auto_pad SAME_*, in its order: all starts, then all ends. */
function samePads(
  mode: string,
  extents: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
): number[] {
  const totals = extents.map((extent, i) =>
    Math.max(0, (Math.ceil(extent / strides[i]) - 1) * strides[i] + kernel[i] - extent),
  );
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, i) => total - small[i]);
  return mode === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
}

type Four = readonly [number, number, number, number];
type Two = readonly [number, number];

function convolution(read: NodeCaseReader): Tensor {
  const [x, w] = [read.x(0), read.x(1)];
  const strides = read.list('strides', [1, 1]);
  const mode = read.text('auto_pad', 'NOTSET');
  const pads =
    mode === 'NOTSET' ? read.list('pads', [0, 0, 0, 0]) : samePads(mode, x.shape.slice(2), w.shape.slice(2), strides);
  const bias = read.maybe(2);
  return conv2d(x, w, {
    stride: strides as Two,
    padding: pads as unknown as Four,
    dilation: read.list('dilations', [1, 1]) as Two,
    groups: read.number('group', 1),
    ...(bias && { bias }),
  });
}

/** A transposed convolution is the input gradient of the convolution with the same weight. */
function transposedConvolution(read: NodeCaseReader): Tensor {
  // One spatial axis is two with a flat first one.
  const flat = read.x(0).rank === 3;
  const lift = (x: Tensor): Tensor => (flat ? reshape(x, x.shape.toSpliced(2, 0, 1)) : x);
  const [g, w] = [lift(read.x(0)), lift(read.x(1))];
  const strides = read.list('strides', [1, 1]);
  const dilations = read.list('dilations', [1, 1]);
  const group = read.number('group', 1);
  const extra = read.list('output_padding', [0, 0]);
  const reach = [0, 1].map((i) => dilations[i] * (w.shape[i + 2] - 1) + 1);
  const whole = [0, 1].map((i) => strides[i] * (g.shape[i + 2] - 1) + extra[i] + reach[i]);
  const same = read.text('auto_pad', 'NOTSET') === 'SAME_UPPER';
  const wanted = read.list('output_shape', same ? [0, 1].map((i) => g.shape[i + 2] * strides[i]) : []);
  const totals = wanted.map((extent, i) => Math.max(0, whole[i] - extent));
  const halves = totals.map((total) => Math.floor(total / 2));
  const pads =
    wanted.length > 0 ? [...halves, ...totals.map((total, i) => total - halves[i])] : read.list('pads', [0, 0, 0, 0]);
  const spatial = wanted.length > 0 ? wanted : [0, 1].map((i) => whole[i] - pads[i] - pads[i + 2]);
  const [result] = apply(ConvInputGradient, [g, w], {
    strides: [...strides],
    pads: [...pads],
    dilations: [...dilations],
    group,
    shape: [g.shape[0], w.shape[1] * group, ...spatial],
  });
  return flat ? reshape(result, result.shape.toSpliced(2, 1)) : result;
}

function averagePool(read: NodeCaseReader): Tensor {
  const flat = read.x(0).rank === 3;
  const x = flat ? reshape(read.x(0), read.x(0).shape.toSpliced(2, 0, 1)) : read.x(0);
  const pairOf = (values: readonly number[]): Two => (flat ? [1, values[0]] : [values[0], values[1]]);
  const kernel = pairOf(read.list('kernel_shape', []));
  const stride = pairOf(read.list('strides', [1, 1]));
  const dilation = pairOf(read.list('dilations', [1, 1]));
  const mode = read.text('auto_pad', 'NOTSET');
  const pads = [
    ...(mode === 'NOTSET' ? read.list('pads', [0, 0, 0, 0]) : samePads(mode, x.shape.slice(2), kernel, stride)),
  ];
  if (read.number('ceil_mode', 0) === 1) {
    // Rounding the number of windows up is padding the end until one more fits.
    [0, 1].forEach((i) => {
      const reach = dilation[i] * (kernel[i] - 1) + 1;
      const extent = x.shape[i + 2] + pads[i] + pads[i + 2];
      const count = Math.ceil((extent - reach) / stride[i]) + 1;
      // A window that would start on the padding is dropped.
      const kept = (count - 1) * stride[i] >= x.shape[i + 2] + pads[i] ? count - 1 : count;
      pads[i + 2] += Math.max(0, (kept - 1) * stride[i] + reach - extent);
    });
  }
  const y = averagePool2d(x, kernel, {
    stride,
    dilation,
    padding: pads as unknown as Four,
    countPadding: read.number('count_include_pad', 0) === 1,
  });
  return flat ? reshape(y, y.shape.toSpliced(2, 1)) : y;
}

function normalizedAxes(read: NodeCaseReader): number[] {
  const x = read.x(0);
  const first = normalizeAxis(read.number('axis', -1), x.rank);
  return x.shape.flatMap((_, i) => (i >= first ? [i] : []));
}

function layerNormalization(read: NodeCaseReader): Tensor[] {
  const x = read.x(0);
  const axes = normalizedAxes(read);
  const epsilon = read.number('epsilon', 1e-5);
  const y = layerNorm(x, { scale: read.x(1), bias: read.x(2), axis: read.number('axis', -1), epsilon });
  const spread = reciprocal(sqrt(variance(x, axes, { keepdims: true }).add(epsilon)));
  return [y, mean(x, axes, { keepdims: true }), spread];
}

/** [batch, tokens, heads · channels] as [batch, heads, tokens, channels]. */
const heads = (x: Tensor, count: number): Tensor =>
  x.rank === 4 ? x : transpose(reshape(x, [x.shape[0], x.shape[1], count, x.shape[2] / count]), [0, 2, 1, 3]);

function attention(read: NodeCaseReader): Tensor[] {
  const q = heads(read.x(0), read.number('q_num_heads', 1));
  const keyValueHeads = read.number('kv_num_heads', 1);
  const past = (x: Tensor, i: number): Tensor => {
    const before = read.maybe(i);
    return before ? concat([before, x], 2) : x;
  };
  const k = past(heads(read.x(1), keyValueHeads), 4);
  const v = past(heads(read.x(2), keyValueHeads), 5);
  const offset = read.maybe(4)?.shape[2] ?? 0;
  const repeat = (x: Tensor): Tensor => {
    const times = q.shape[1] / x.shape[1];
    const [batch, count, tokens, channels] = x.shape;
    return reshape(expand(reshape(x, [batch, count, 1, tokens, channels]), [batch, count, times, tokens, channels]), [
      batch,
      count * times,
      tokens,
      channels,
    ]);
  };
  const mask = read.maybe(3);
  const [queries, keys] = [q.shape[2], k.shape[2]];
  const past0 = lessOrEqual(reshape(range(keys), [1, keys]), reshape(range(queries), [queries, 1]).add(offset));
  const causal = read.number('is_causal', 0) === 1;
  const combined = !causal
    ? mask
    : !mask
      ? past0
      : mask.dtype === 'bool'
        ? and(mask, past0)
        : where(past0, mask, -Infinity);
  const scale = read.case.attributes['scale'] as number | undefined;
  const y = scaledDotProductAttention(q, repeat(k), repeat(v), {
    ...(combined && { mask: combined }),
    ...(scale !== undefined && { scale }),
  });
  const joined =
    read.x(0).rank === 4 ? y : reshape(transpose(y, [0, 2, 1, 3]), [y.shape[0], y.shape[2], y.shape[1] * y.shape[3]]);
  return read.case.outputs.length > 1 ? [joined, k, v] : [joined];
}

function gemm(read: NodeCaseReader): Tensor {
  const turned = (x: Tensor, flag: string): Tensor => (read.number(flag, 0) === 1 ? transpose(x) : x);
  const product = matmul(turned(read.x(0), 'transA'), turned(read.x(1), 'transB')).mul(read.number('alpha', 1));
  const bias = read.maybe(2);
  return bias ? product.add(bias.mul(read.number('beta', 1))) : product;
}

function reshaped(read: NodeCaseReader): Tensor {
  const x = read.x(0);
  const wanted = read.static(1) ?? [];
  // 0 copies the input's extent unless allowzero is set.
  return reshape(
    x,
    read.number('allowzero', 0) === 1 ? wanted : wanted.map((extent, i) => (extent === 0 ? x.shape[i] : extent)),
  );
}

function sliced(read: NodeCaseReader): Tensor {
  const x = read.x(0);
  const [given, limits] = [read.static(1) ?? [], read.static(2) ?? []];
  const axes = (read.static(3) ?? given.map((_, i) => i)).map((axis) => normalizeAxis(axis, x.rank));
  const steps = read.static(4) ?? axes.map(() => 1);
  const pick = (values: readonly number[], otherwise: (axis: number) => number): number[] =>
    x.shape.map((_, axis) => (axes.includes(axis) ? values[axes.indexOf(axis)] : otherwise(axis)));
  return slice(
    x,
    pick(given, () => 0),
    pick(limits, (axis) => x.shape[axis]),
    pick(steps, () => 1),
  );
}

function splitParts(read: NodeCaseReader): Tensor[] {
  const axis = read.number('axis', 0);
  const total = read.x(0).shape[axis];
  const count = read.case.outputs.length;
  const part = Math.ceil(total / count);
  const even = Array.from({ length: count }, (_, i) => Math.min(part, total - i * part));
  return split(read.x(0), read.static(1) ?? even, axis);
}

function padded(read: NodeCaseReader): Tensor {
  const x = read.x(0);
  const pads = read.static(1) ?? [];
  const axes = (read.static(3) ?? x.shape.map((_, i) => i)).map((axis) => normalizeAxis(axis, x.rank));
  const around = (offset: number): number[] =>
    x.shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis) + offset] : 0));
  return pad(x, around(0), around(axes.length), read.static(2)?.[0] ?? 0);
}

function power(read: NodeCaseReader): Tensor {
  const base = read.x(0);
  return cast(pow(cast(base, 'f32'), cast(read.x(1), 'f32')), base.dtype);
}

function tiled(read: NodeCaseReader): Tensor {
  const x = read.x(0);
  const repeats = read.static(1) ?? [];
  const apart = reshape(
    x,
    x.shape.flatMap((extent) => [1, extent]),
  );
  const copies = expand(
    apart,
    x.shape.flatMap((extent, i) => [repeats[i], extent]),
  );
  return reshape(
    copies,
    x.shape.map((extent, i) => extent * repeats[i]),
  );
}

const withoutAxes = (x: Tensor, axes: readonly number[]): Tensor => {
  const dropped = new Set(axes.map((axis) => normalizeAxis(axis, x.rank)));
  return reshape(
    x,
    x.shape.filter((_, i) => !dropped.has(i)),
  );
};

function withAxes(x: Tensor, axes: readonly number[]): Tensor {
  const rank = x.rank + axes.length;
  const added = new Set(axes.map((axis) => normalizeAxis(axis, rank)));
  const rest = [...x.shape];
  return reshape(
    x,
    Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : rest.shift()!)),
  );
}

/** How each ONNX operator is written with ours. */
const converters: Readonly<Record<string, Convert>> = {
  Abs: unary(abs),
  Add: binary(add),
  And: binary(and),
  Attention: attention,
  AveragePool: averagePool,
  Ceil: unary((x) => neg(floor(neg(x)))),
  Clip: (read) => {
    const [low, high] = [read.maybe(1), read.maybe(2)];
    const raised = low ? maximum(read.x(0), low) : identity(read.x(0));
    return high ? minimum(raised, high) : raised;
  },
  Concat: (read) => concat(read.tensors, read.number('axis', 0)),
  Constant: (read) => {
    const { shape, dtype, data } = read.case.attributes['value'] as HostArray;
    return constant(data, dtype, shape);
  },
  ConstantOfShape: (read) => {
    const { data, dtype } = read.case.attributes['value'] as HostArray;
    return full(read.static(0) ?? [], data[0], dtype);
  },
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Cos: unary(cos),
  Div: binary(div),
  Elu: (read) => where(greater(read.x(0), 0), read.x(0), expm1(read.x(0)).mul(read.number('alpha', 1))),
  Equal: binary(equal),
  Exp: unary(exp),
  Expand: (read) => expand(read.x(0), broadcastShapes(read.x(0).shape, read.static(1) ?? [])),
  Floor: unary(floor),
  Gather: (read) => gather(read.x(0), read.x(1), read.number('axis', 0)),
  Gelu: (read) => gelu(read.x(0), read.text('approximate', 'none') as 'none' | 'tanh'),
  Gemm: gemm,
  GlobalAveragePool: unary((x) => mean(x, [2, 3], { keepdims: true })),
  Greater: binary(greater),
  GreaterOrEqual: binary(greaterOrEqual),
  GroupNormalization: (read) =>
    groupNorm(read.x(0), read.number('num_groups', 1), {
      scale: read.x(1),
      bias: read.x(2),
      epsilon: read.number('epsilon', 1e-5),
    }),
  HardSwish: unary((x) => mul(x, maximum(0, minimum(1, x.div(6).add(0.5))))),
  Identity: unary(identity),
  InstanceNormalization: (read) =>
    groupNorm(read.x(0), read.x(0).shape[1], {
      scale: read.x(1),
      bias: read.x(2),
      epsilon: read.number('epsilon', 1e-5),
    }),
  LayerNormalization: layerNormalization,
  LeakyRelu: (read) => where(less(read.x(0), 0), read.x(0).mul(read.number('alpha', 0.01)), read.x(0)),
  Less: binary(less),
  LessOrEqual: binary(lessOrEqual),
  Log: unary(log),
  MatMul: binary(matmul),
  Max: folded(maximum),
  Min: folded(minimum),
  Mul: binary(mul),
  Neg: unary(neg),
  Not: unary(not),
  Or: binary(or),
  Pad: padded,
  Pow: power,
  RMSNormalization: (read) => {
    const scale = sqrt(
      mean(read.x(0).square(), normalizedAxes(read), { keepdims: true }).add(read.number('epsilon', 1e-5)),
    );
    return read.x(0).div(scale).mul(read.x(1));
  },
  Range: (read) =>
    range(...(read.tensors.map((_, i) => read.static(i)![0]) as [number, number, number]), read.x(0).dtype),
  Reciprocal: unary(reciprocal),
  ReduceL2: reduced((x, axes, options) => sqrt(reduceSum(x.square(), axes, options))),
  ReduceMax: reduced(reduceMax),
  ReduceMean: reduced(mean),
  ReduceMin: reduced(reduceMin),
  ReduceSum: reduced(reduceSum),
  ReduceSumSquare: reduced((x, axes, options) => reduceSum(x.square(), axes, options)),
  Relu: unary(relu),
  Reshape: reshaped,
  Resize: (read) => {
    const scales = read.static(2) ?? [];
    const axes = read.list('axes', [0, 1, 2, 3]);
    return upsampleNearest2d(read.x(0), [scales[axes.indexOf(2)], scales[axes.indexOf(3)]]);
  },
  ScatterElements: (read) => {
    const [data, indices, updates] = [0, 1, 2].map((i) => reshape(read.x(i), [read.x(i).size]));
    return reshape(scatterAdd(data, indices, updates), read.x(0).shape);
  },
  Sigmoid: unary(sigmoid),
  Sign: unary(sign),
  Sin: unary(sin),
  Slice: sliced,
  Softmax: (read) => softmax(read.x(0), read.number('axis', -1)),
  Softplus: unary(softplus),
  Split: splitParts,
  Sqrt: unary(sqrt),
  Squeeze: (read) => withoutAxes(read.x(0), read.static(1) ?? []),
  Sub: binary(sub),
  Swish: unary(silu),
  Tanh: unary(tanh),
  Tile: tiled,
  Transpose: (read) => transpose(read.x(0), read.case.attributes['perm'] as number[] | undefined),
  Unsqueeze: (read) => withAxes(read.x(0), read.static(1) ?? []),
  Where: (read) => where(read.x(0), read.x(1), read.x(2)),
};

/** A case's outputs in our operators, from its inputs as tensors (undefined if omitted). */
export function convertNodeCase(node: OnnxNodeCase, inputs: readonly (Tensor | undefined)[]): readonly Tensor[] {
  const converter = converters[node.op] as Convert | undefined;
  if (!converter) throw new Error(`no converter for ${node.op}`);
  const outputs = converter(new NodeCaseReader(node, inputs));
  return Array.isArray(outputs) ? (outputs as Tensor[]) : [outputs as Tensor];
}
