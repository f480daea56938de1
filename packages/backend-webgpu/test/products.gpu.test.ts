import { webgpu } from '@flow-matching/backend-webgpu/node';
import * as fm from '@flow-matching/tensor';
import {
  evaluateGraph,
  f32,
  HostRandomStream,
  trace,
  type Graph,
  type HostArray,
  type Tensor,
} from '@flow-matching/tensor';
import { expect } from 'chai';

// Shapes beyond the suite's: every tile and every way that operands lie in memory, with edges that do not divide.

const random = new HostRandomStream(0, 0, 0);

/** The largest error against the f64 reference over the largest result, in unit round-offs of f32. */
async function error(backend: fm.Backend, graph: Graph): Promise<number> {
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, tensor }): [string, HostArray] => [name, random.normal([...tensor.shape])]),
  );
  const executable = await backend.compile(graph);
  const { y } = await executable.run(inputs);
  const actual = await y.read();
  const expected = evaluateGraph(graph, inputs)['y'].data;
  y.dispose();
  await executable.dispose();
  let [largest, off] = [0, 0];
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    off = Math.max(off, Math.abs(actual[i] - value));
  });
  return off / largest / 2 ** -24;
}

const operands: Readonly<Record<string, (rows: number, columns: number, depth: number) => Graph>> = {
  'rows by rows': (rows, columns, depth) =>
    trace(({ a, b }) => ({ y: a.matmul(b) }), { a: f32([rows, depth]), b: f32([depth, columns]) }),
  'the left one transposed': (rows, columns, depth) =>
    trace(({ a, b }) => ({ y: a.transpose().matmul(b) }), { a: f32([depth, rows]), b: f32([depth, columns]) }),
  'the right one transposed': (rows, columns, depth) =>
    trace(({ a, b }) => ({ y: a.matmul(b.transpose()) }), { a: f32([rows, depth]), b: f32([columns, depth]) }),
  'both transposed, with what follows': (rows, columns, depth) =>
    trace(({ a, b, c }) => ({ y: a.transpose().matmul(b.transpose()).add(c).mul(0.5) }), {
      a: f32([depth, rows]),
      b: f32([columns, depth]),
      c: f32([columns]),
    }),
};

/** Operands that are parts of arrays whose elements are no multiple of four. */
const ofParts = (): Graph =>
  trace(({ a, b }) => ({ y: part(a, [32, 64]).matmul(part(b, [64, 16])) }), { a: f32([3, 1027]), b: f32([1027]) });
const part = (x: Tensor, shape: readonly [number, number]): Tensor =>
  x
    .reshape([x.size])
    .slice(0, 0, shape[0] * shape[1])
    .reshape(shape);

const shapes = [
  [64, 64, 64],
  [100, 36, 52],
  [33, 65, 17],
  [130, 2, 48],
  [40, 40, 2050],
] as const;

const convolutions: Readonly<Record<string, Graph>> = {
  'of an image': trace(({ x, w }) => ({ y: fm.conv2d(x, w, { padding: 1 }) }), {
    x: f32([2, 16, 9, 10]),
    w: f32([32, 16, 3, 3]),
  }),
  'with strides, dilation and groups': trace(
    ({ x, w }) => ({ y: fm.conv2d(x, w, { padding: [2, 1], stride: 2, dilation: [1, 2], groups: 2 }) }),
    { x: f32([2, 32, 12, 13]), w: f32([32, 16, 3, 3]) },
  ),
  'with respect to the image': gradient('x', { padding: 1, stride: 2 }),
  'with respect to the weight': gradient('w', { padding: 1 }),
};

function gradient(of: 'x' | 'w', options: fm.Conv2dOptions): Graph {
  return trace(
    ({ x, w }) => {
      const loss = (given: Record<string, Tensor>): Tensor =>
        fm
          .conv2d(given.x ?? x, given.w ?? w, options)
          .square()
          .sum()
          .mul(1 / 64);
      return { y: fm.valueAndGrad(loss, { [of]: { x, w }[of] }).gradient[of] };
    },
    { x: f32([2, 16, 12, 12]), w: f32([32, 16, 3, 3]) },
  );
}

for (const kernels of ['gpu', 'processor'] as const) {
  describe(`products by kernels for a ${kernels}`, () => {
    let backend: fm.Backend;
    before(async () => {
      backend = await webgpu({ kernels });
    });
    after(() => backend.dispose());

    for (const [how, graph] of Object.entries(operands)) {
      it(`multiplies ${how}`, async () => {
        for (const [rows, columns, depth] of shapes)
          // A sum of n terms of size 1 is about √n large, and its n roundings, half of them up, add up to as much.
          expect(await error(backend, graph(rows, columns, depth)), `${rows} × ${columns}`).to.be.below(depth / 8 + 8);
      });
    }
    it('multiplies parts of arrays whose elements are no multiple of four', async () => {
      expect(await error(backend, ofParts())).to.be.below(16);
    });
    for (const [what, graph] of Object.entries(convolutions)) {
      it(`convolves: ${what}`, async () => {
        // Sums of up to 576 products.
        expect(await error(backend, graph)).to.be.below(64);
      });
    }
  });
}
