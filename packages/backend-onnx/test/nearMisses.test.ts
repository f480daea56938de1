import { onnx } from '@flow-matching/backend-onnx';
import * as fm from '@flow-matching/tensor';
import { Graph, input, prepareGraph, type Node, type Shape, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import { draw, expectAgreement, numbers } from '../../../test/support/agreement.ts';
import { fuse } from '../src/fusion/index.ts';

type Formula = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** What one fusion takes, and what differs from it in one respect and must be computed as it is written. */
interface Fusion {
  /** Tells by what is left of a graph that the fusion took it. */
  readonly took: (nodes: readonly Node[]) => boolean;
  readonly taken: Readonly<Record<string, Formula>>;
  readonly left: Readonly<Record<string, Formula>>;
}

const has =
  (operator: string, operands?: number): Fusion['took'] =>
  (nodes) =>
    nodes.some((node) => node.operator.name === operator && node.inputs.length === (operands ?? node.inputs.length));

const { sigmoid, silu, tanh, transpose } = fm;
const doubled = (x: Tensor): Tensor => x.cast('f64');
const whole = (x: Tensor): Tensor => fm.round(x.mul(8)).cast('i32');

// Formulas of x and y [4, 5], w [5, 3], row [3], column [4, 1], full [4, 3].
const shapes: readonly Shape[] = [[4, 5], [4, 5], [5, 3], [3], [4, 1], [4, 3]];
const f =
  (
    formula: (tensors: Record<'x' | 'y' | 'w' | 'row' | 'column' | 'full', Tensor>) => Tensor | readonly Tensor[],
  ): Formula =>
  (x, y, w, row, column, full) =>
    formula({ x, y, w, row, column, full });

const fusions: Readonly<Record<string, Fusion>> = {
  'x·sigmoid(x)': {
    took: has('QuickGelu'),
    taken: {
      silu: f(({ x }) => silu(x)),
      'the factors exchanged': f(({ x }) => sigmoid(x).mul(x)),
      'the silu of a sum': f(({ x, y }) => silu(x.add(y))),
    },
    left: {
      'the gate of another tensor': f(({ x, y }) => x.mul(sigmoid(y))),
      'the gate of another tensor, exchanged': f(({ x, y }) => sigmoid(y).mul(x)),
      'the gate of a multiple': f(({ x }) => x.mul(sigmoid(x.mul(1.702)))),
      'a multiple of the gated': f(({ x }) => x.mul(2).mul(sigmoid(x))),
      'the gate of the negative': f(({ x }) => x.mul(sigmoid(x.neg()))),
      'the gate of a broadcast row': f(({ full, row }) => full.mul(sigmoid(row))),
      'the gate of a transposed square': f(({ x, y }) => x.matmul(transpose(y)).mul(sigmoid(y.matmul(transpose(x))))),
      'another function as gate': f(({ x }) => x.mul(tanh(x))),
      'the sum with the gate': f(({ x }) => x.add(sigmoid(x))),
      'the gate squared': f(({ x }) => sigmoid(x).mul(sigmoid(x))),
      'the gate used again': f(({ x }) => [x.mul(sigmoid(x)), sigmoid(x)]),
      'silu in f64': f(({ x }) => silu(doubled(x))),
    },
  },
  'a sum of squares': {
    took: has('ReduceSumSquare'),
    taken: {
      'that of all elements': f(({ x }) => x.square().sum()),
      'those of rows': f(({ x }) => x.mul(x).sum(1)),
      'those of columns, axis kept': f(({ x }) => x.mul(x).sum(0, { keepdims: true })),
      'one in f64': f(({ x }) => doubled(x).square().sum()),
    },
    left: {
      'the sum of products of two tensors': f(({ x, y }) => x.mul(y).sum()),
      'the sum of products with the negative': f(({ x }) => x.mul(x.neg()).sum(1)),
      'the sum of cubes': f(({ x }) => x.mul(x).mul(x).sum()),
      'the sum of products with a row': f(({ full, row }) => full.mul(row).sum(0)),
      'the sum of doubles': f(({ x }) => x.add(x).sum(1)),
      'the largest square': f(({ x }) => x.mul(x).max(1)),
      'the mean square': f(({ x }) => x.mul(x).mean(1)),
      'the sum of squares that are used again': f(({ x }) => [x.mul(x), x.mul(x).sum(1)]),
      'the sum of squares of whole numbers': f(({ x }) => whole(x).mul(whole(x)).sum(1)),
    },
  },
  'a product with a bias': {
    took: has('Gemm', 3),
    taken: {
      'a row': f(({ x, w, row }) => x.matmul(w).add(row)),
      'a row before the product': f(({ x, w, row }) => row.add(x.matmul(w))),
      'a column': f(({ x, w, column }) => x.matmul(w).add(column)),
      'a whole matrix': f(({ x, w, full }) => x.matmul(w).add(full)),
      'the first of two terms': f(({ x, w, row, column }) => x.matmul(w).add(row).add(column)),
      'another product': f(({ x, y, w }) => x.matmul(w).add(y.matmul(w))),
    },
    left: {
      'a difference': f(({ x, w, row }) => x.matmul(w).sub(row)),
      'a product of elements': f(({ x, w, row }) => x.matmul(w).mul(row)),
      'the product twice': f(({ x, w }) => x.matmul(w).add(x.matmul(w))),
      'a product that is used again': f(({ x, w, row }) => [x.matmul(w), x.matmul(w).add(row)]),
      'a term with more rows': f(({ x, w, full }) => x.slice(0, 0, 1).matmul(w).add(full)),
      'a term of more axes': f(({ x, w, row }) => x.matmul(w).add(row.reshape([1, 1, 3]))),
      'a product of whole numbers': f(({ x, w, row }) => whole(x).matmul(whole(w)).add(whole(row))),
      'a batch of products': f(({ x, w, row }) => x.reshape([2, 2, 5]).matmul(w).add(row)),
    },
  },
  'a transposed operand': {
    took: (nodes) => has('Gemm')(nodes) && !has('Transpose')(nodes),
    taken: {
      'the first': f(({ x, full }) => transpose(x).matmul(full)),
      'the second': f(({ x, y }) => x.matmul(transpose(y))),
      both: f(({ x, w }) => transpose(w).matmul(transpose(x))),
      'the same tensor in both places': f(({ x }) => transpose(x).matmul(x)),
    },
    left: {
      'a batch of matrices': f(({ x, y }) => x.reshape([2, 2, 5]).matmul(transpose(y.reshape([2, 2, 5]), [0, 2, 1]))),
      'matrices of whole numbers': f(({ x, y }) => whole(x).matmul(transpose(whole(y)))),
      'the product': f(({ x, w }) => transpose(x.matmul(w))),
    },
  },
};

describe('a fusion', () => {
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());
  const next = numbers(11);
  const inputs = shapes.map((shape) => draw({ shape, dtype: 'f32' }, [-2, 2], next));

  const isTaken = (formula: Formula, { took }: Fusion): boolean => {
    const ports = shapes.map((shape, i) => ({ name: `x${i}`, tensor: input(`x${i}`, { shape, dtype: 'f32' }) }));
    const results = [formula(...ports.map(({ tensor }) => tensor))].flat();
    const graph = new Graph(
      ports,
      results.map((tensor, i) => ({ name: `y${i}`, tensor })),
    );
    return took(fuse(prepareGraph(graph, backend.manifest, 'onnx').graph).nodes);
  };

  for (const [name, fusion] of Object.entries(fusions)) {
    describe(`of ${name}`, () => {
      for (const [verb, formulas] of [
        ['takes', fusion.taken],
        ['leaves', fusion.left],
      ] as const)
        for (const [what, formula] of Object.entries(formulas))
          it(`${verb} ${what}, and computes what the reference does`, async () => {
            expect(isTaken(formula, fusion)).to.equal(verb === 'takes');
            await expectAgreement(backend, formula, inputs, () => ({ absolute: 1e-5, relative: 1e-5 }));
          });
    });
  }
});
