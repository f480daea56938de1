import { Graph } from '../graph/graph.ts';
import { attributesKey } from '../graph/hash.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attributes, Operator } from '../graph/operator.ts';
import { rewriteGraph } from '../graph/rewrite.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add, mul, neg, reciprocal, sub } from '../operators/arithmetic.ts';
import { constant } from '../operators/constant.ts';
import { expand, reshape, transpose } from '../operators/movement.ts';
import { evaluateGraph } from '../reference/evaluateGraph.ts';
import { broadcastShapes, sameShape } from '../tensor/shape.ts';

/** Larger results are not folded: that would trade a cheap operator for bytes. */
const foldLimit = 1024;

/** Operators whose results are neither merged with equal ones nor computed at compile time. */
const opaque = new Set(['Barrier', 'RandomBits']);
/** Cheap to run and large as constants. */
const unfolded = new Set([...opaque, 'Constant', 'Expand', 'Range']);

type Rule = (node: Node) => Tensor | undefined;

/**
 * Removes redundant work: dead code, repeated subexpressions, constant arithmetic, neutral elements, movements that cancel,
 * explicit broadcasts that an elementwise operator does implicitly. Results change by at most the rounding of constants. NaN
 * and infinity propagate as before (x·0 is not removed).
 */
export function simplify(graph: Graph): Graph {
  const merged = new Map<string, readonly Tensor[]>();
  const emit = (operator: Operator, inputs: readonly Tensor[], attributes: Attributes): readonly Tensor[] => {
    const key = opaque.has(operator.name) ? undefined : expressionKey(operator, inputs, attributes);
    const known = key === undefined ? undefined : merged.get(key);
    if (known) return known;
    const outputs = apply(operator, inputs, attributes);
    const better = improve(outputs[0].node);
    // A rule's result consists of new nodes, so it is simplified in the same way.
    const canonical = better ? [resolve(better)] : outputs;
    if (key !== undefined) merged.set(key, canonical);
    return canonical;
  };
  const canonical = new Set<Tensor>();
  const resolve = (tensor: Tensor): Tensor => {
    if (canonical.has(tensor)) return tensor;
    const { node } = tensor;
    const result =
      node.operator.name === 'Input'
        ? tensor
        : emit(node.operator, node.inputs.map(resolve), node.attributes)[tensor.index];
    canonical.add(result);
    return result;
  };
  return rewriteGraph(graph, (node, inputs) => {
    if (node.operator.name === 'Input') return node.outputs;
    for (const tensor of inputs) canonical.add(tensor);
    return emit(node.operator, inputs, node.attributes);
  });
}

const operatorIds = new WeakMap<object, number>();
let nextOperatorId = 0;

/** Operators are distinguished by identity: two third-party composites may share a name. */
function operatorId(operator: Operator): number {
  let id = operatorIds.get(operator);
  if (id === undefined) operatorIds.set(operator, (id = nextOperatorId++));
  return id;
}

function expressionKey(operator: Operator, inputs: readonly Tensor[], attributes: Attributes): string {
  return `${operatorId(operator)}(${inputs.map((tensor) => `${tensor.node.id}.${tensor.index}`).join()})${attributesKey(attributes)}`;
}

/** A simpler tensor for a node's single output, or undefined. */
function improve(node: Node): Tensor | undefined {
  return (
    rules[node.operator.name]?.(node) ?? (node.operator.broadcasts ? dropExpansions(node) : undefined) ?? fold(node)
  );
}

function fold(node: Node): Tensor | undefined {
  const { operator, inputs, outputs } = node;
  const output = outputs[0];
  if (unfolded.has(operator.name) || outputs.length > 1 || output.size > foldLimit) return undefined;
  if (!inputs.every((tensor) => tensor.node.operator.name === 'Constant')) return undefined;
  const value = evaluateGraph(new Graph([], [{ name: 'value', tensor: output }]), {})['value'];
  return constant(value.data, output.dtype, output.shape);
}

/** Drops Expand from operands of an elementwise operator, which broadcasts them anyway. */
function dropExpansions(node: Node): Tensor | undefined {
  const shape = node.outputs[0].shape;
  const operands = [...node.inputs];
  let dropped = false;
  operands.forEach((tensor, i) => {
    if (tensor.node.operator.name !== 'Expand') return;
    const source = tensor.node.inputs[0];
    const shapes = operands.map((operand, j) => (j === i ? source.shape : operand.shape));
    if (!sameShape(broadcastShapes(...shapes), shape)) return;
    operands[i] = source;
    dropped = true;
  });
  return dropped ? apply(node.operator, operands, node.attributes)[0] : undefined;
}

/** The value of a tensor whose elements are all equal, if it is known. */
export function splatValue(tensor: Tensor): number | undefined {
  const { operator, inputs, attributes } = tensor.node;
  if (operator.name === 'Expand' || operator.name === 'Reshape') return splatValue(inputs[0]);
  return operator.name === 'Constant' && tensor.size === 1
    ? (attributes as unknown as { data: ArrayLike<number> }).data[0]
    : undefined;
}

/** `kept`, if it already has the shape of the result. */
const instead = (node: Node, kept: Tensor): Tensor | undefined =>
  sameShape(kept.shape, node.outputs[0].shape) ? kept : undefined;

const is = (tensor: Tensor, name: string): boolean => tensor.node.operator.name === name;
const source = (tensor: Tensor): Tensor => tensor.node.inputs[0];

/** x·c₁·c₂ → x·(c₁c₂) for scalar constants. */
function mergeFactors(a: Tensor, b: Tensor): Tensor | undefined {
  if (!is(b, 'Constant') || b.size !== 1 || !is(a, 'Mul')) return undefined;
  const inner = a.node.inputs.findIndex((tensor) => is(tensor, 'Constant') && tensor.size === 1 && tensor.rank <= 0);
  return inner < 0 ? undefined : mul(a.node.inputs[1 - inner], mul(a.node.inputs[inner], b));
}

const rules: Readonly<Record<string, Rule>> = {
  Identity: ({ inputs: [x] }) => x,
  StopGradient: ({ inputs: [x] }) => x,
  Add: (node) => {
    const [a, b] = node.inputs as [Tensor, Tensor];
    if (splatValue(b) === 0) return instead(node, a);
    if (splatValue(a) === 0) return instead(node, b);
    if (is(b, 'Neg')) return sub(a, source(b));
    return is(a, 'Neg') ? sub(b, source(a)) : undefined;
  },
  Sub: (node) => {
    const [a, b] = node.inputs as [Tensor, Tensor];
    if (splatValue(b) === 0) return instead(node, a);
    return is(b, 'Neg') ? add(a, source(b)) : undefined;
  },
  Mul: (node) => {
    const [a, b] = node.inputs as [Tensor, Tensor];
    if (splatValue(b) === 1) return instead(node, a);
    if (splatValue(a) === 1) return instead(node, b);
    if (splatValue(b) === -1 && instead(node, a)) return neg(a);
    if (splatValue(a) === -1 && instead(node, b)) return neg(b);
    return mergeFactors(a, b) ?? mergeFactors(b, a);
  },
  Div: (node) => (splatValue(node.inputs[1]) === 1 ? instead(node, node.inputs[0]) : undefined),
  Neg: ({ inputs: [x] }) => (is(x, 'Neg') ? source(x) : undefined),
  Pow: (node) => {
    const [x, exponent] = node.inputs as [Tensor, Tensor];
    if (!instead(node, x)) return undefined;
    const value = splatValue(exponent);
    if (value === 1) return x;
    if (value === 2) return mul(x, x);
    return value === -1 ? reciprocal(x) : undefined;
  },
  Cast: (node) => (node.inputs[0].dtype === node.outputs[0].dtype ? node.inputs[0] : undefined),
  Reshape: (node) =>
    instead(node, node.inputs[0]) ??
    (is(node.inputs[0], 'Reshape') ? reshape(source(node.inputs[0]), node.outputs[0].shape) : undefined),
  Expand: (node) =>
    instead(node, node.inputs[0]) ??
    (is(node.inputs[0], 'Expand') ? expand(source(node.inputs[0]), node.outputs[0].shape) : undefined),
  Transpose: ({ inputs: [x], attributes }) => {
    const { perm } = attributes as unknown as { perm: readonly number[] };
    if (perm.every((axis, i) => axis === i)) return x;
    if (!is(x, 'Transpose')) return undefined;
    const inner = (x.node.attributes as unknown as { perm: readonly number[] }).perm;
    return transpose(
      source(x),
      perm.map((axis) => inner[axis]),
    );
  },
  Slice: (node) => {
    const { steps } = node.attributes as unknown as { steps: readonly number[] };
    return steps.every((step) => step === 1) ? instead(node, node.inputs[0]) : undefined;
  },
  Pad: (node) => instead(node, node.inputs[0]),
  Concat: (node) => {
    const parts = node.inputs.filter((tensor) => tensor.size > 0);
    return parts.length === 1 ? instead(node, parts[0]) : undefined;
  },
  // A sum over axes of extent 1 only moves.
  ReduceSum: (node) => {
    const [x] = node.inputs as [Tensor];
    const { axes } = node.attributes as unknown as { axes: readonly number[] };
    return axes.every((axis) => x.shape[axis] === 1) ? reshape(x, node.outputs[0].shape) : undefined;
  },
};
