import * as fm from '@flow-matching/tensor';
import {
  concat,
  constant,
  gather,
  Graph,
  hostArray,
  HostRandomStream,
  input,
  layerNorm,
  pad,
  range,
  sameShape,
  scatterAdd,
  ShapeError,
  softmax,
  toStorage,
  where,
  type DType,
  type HostArray,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';
import * as fc from 'fast-check';

/** Numbers that choose an operator, its operands among the tensors so far, and what else it takes. */
export interface Step {
  readonly operator: number;
  readonly a: number;
  readonly b: number;
  readonly choice: number;
}

const number = fc.nat(9999);

/** Recipes of graphs. A shorter one is a simpler one. */
export const recipes = fc.array(fc.record({ operator: number, a: number, b: number, choice: number }), {
  minLength: 1,
  maxLength: 14,
  size: 'max',
});

/** Small ones, which share a buffer, and large ones, which have their own. */
const shapes: readonly Shape[] = [[3, 4], [4], [2, 1, 4], [], [40, 36], [36], [5, 17, 16], [64, 40], [1027], [3, 1025]];

const picked = <T>(from: readonly T[], number: number): T => from[number % from.length];

type Build = (a: Tensor, b: Tensor, choice: number) => Tensor;

/** All keep numbers of about 1 such, so that errors stay where they are, and none jumps. */
const builds: readonly Build[] = [
  (a) => a.tanh(),
  (a) => a.mul(3).sin(),
  (a) => a.sigmoid(),
  (a) => a.neg().exp().mul(0.3),
  (a) => a.abs().add(1).log(),
  (a) => a.abs().add(0.5).sqrt(),
  (a, b) => a.add(b).mul(0.5),
  (a, b) => a.sub(b).mul(0.5),
  (a, b) => a.mul(b),
  (a, b) => a.div(b.abs().add(1)),
  (a, b) => fm.maximum(a, b),
  (a, b) => where(a.less(b), a, b),
  (a, b, choice) => where(range(0, last(a)).less(choice % (last(a) + 1)), a, b),
  (a, _, choice) => a.reshape(picked([[a.size], [1, a.size], a.shape.toReversed(), halved(a.shape)], choice)),
  (a, _, choice) => a.transpose(picked([axesOf(a).toReversed(), rotated(axesOf(a))], choice)),
  (a, _, choice) => {
    const axis = axisOf(a, choice);
    const [extent, step] = [a.shape[axis], 1 + (choice % 3)];
    return a.slice(axis, Math.min(choice % 5, extent - 1), extent, step);
  },
  (a, _, choice) => {
    const axis = axisOf(a, choice);
    return a.slice(axis, a.shape[axis] - 1, -a.shape[axis] - 1, -1);
  },
  (a, _, choice) =>
    pad(
      a,
      a.shape.map((__, axis) => (choice + axis) % 3),
      a.shape.map((__, axis) => (choice >> axis) % 2),
      0.25,
    ),
  (a, b, choice) => concat([a, sameShape(a.shape, b.shape) ? b : a.neg(), a.mul(0.5)], axisOf(a, choice)),
  (a, _, choice) => a.expand([1 + (choice % 3), ...a.shape]),
  (a, _, choice) => {
    const axis = axisOf(a, choice);
    const extent = a.shape[axis];
    const indices = Array.from({ length: 1 + (choice % 4) }, (__, i) => ((choice >> i) % (2 * extent)) - extent);
    return gather(a, constant(indices, 'i32'), axis);
  },
  (a, _, choice) => {
    const axis = axisOf(a, choice);
    const indices = a.shape.map((extent, i) => (i === axis ? choice % extent : 0));
    const updates = a.slice(axis, 0, 1);
    return scatterAdd(a, constant([indices[axis]], 'i32'), updates, axis).mul(0.5);
  },
  (a, _, choice) => a.mean(axisOf(a, choice), { keepdims: choice % 2 === 0 }),
  (a) => a.mean(),
  (a, _, choice) => a.max(axisOf(a, choice), { keepdims: true }),
  (a, _, choice) => a.min(axisOf(a, choice)),
  (a, _, choice) => softmax(a, axisOf(a, choice)),
  (a, _, choice) => layerNorm(a, { axis: axisOf(a, choice), epsilon: 0.5 }),
  (a, b) => a.matmul(b).div(last(a)),
  (a) => a.matmul(fm.transposeLast(a)).div(last(a)),
];

const last = ({ shape }: Tensor): number => shape.at(-1) ?? 1;
const axesOf = ({ shape }: Tensor): number[] => [...shape.keys()];
const axisOf = ({ rank }: Tensor, choice: number): number => choice % Math.max(1, rank);
const rotated = (axes: readonly number[]): number[] => [...axes.slice(1), ...axes.slice(0, 1)];
const halved = (shape: Shape): Shape =>
  shape.flatMap((extent, axis) => (axis === 0 && extent % 2 === 0 ? [extent / 2, 2] : [extent]));

/** Elements of the largest tensor. */
const most = 12_000;

/** The graph of a recipe; steps that do not fit their operands are left out. */
export function randomGraph(steps: readonly Step[], dtype: DType): Graph {
  const ports = shapes.map((shape, i) => ({ name: `x${i}`, tensor: input(`x${i}`, { shape, dtype }) }));
  const tensors: Tensor[] = ports.map(({ tensor }) => tensor);
  const made: Tensor[] = [];
  for (const { operator, a, b, choice } of steps) {
    const operand = picked(tensors, a);
    const result = built(picked(builds, operator), operand, picked([...made, ...tensors], b), choice);
    if (!result || result.size > most) continue;
    made.push(result);
    // What is newer is taken more often.
    tensors.push(result, result);
  }
  const outputs = [...new Set([...made.slice(-2), ...(made.length > 4 ? [made[1]] : []), tensors[0]])];
  return new Graph(
    ports,
    outputs.map((tensor, i) => ({ name: `y${i}`, tensor })),
  );
}

function built(build: Build, a: Tensor, b: Tensor, choice: number): Tensor | undefined {
  try {
    return build(a, b, choice);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof fm.OptionError) return undefined;
    throw error;
  }
}

/** Numbers from −1 to 1 for every input. */
export function randomInputs(seed: number, dtype: DType): Record<string, HostArray> {
  const random = new HostRandomStream(seed);
  return Object.fromEntries(
    shapes.map((shape, i) => [`x${i}`, hostArray(toStorage(random.uniform(shape, -1, 1).data, dtype), shape, dtype)]),
  );
}
