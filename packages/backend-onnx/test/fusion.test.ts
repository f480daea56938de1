import { expect } from 'chai';
import * as fm from '@flow-matching/tensor';
import { prepareGraph, trace, type Graph } from '@flow-matching/tensor';
import { onnx } from '@flow-matching/backend-onnx';
import { fuse } from '../src/fusion/index.ts';
import { draw, expectAgreement, numbers } from '../../../test/support/agreement.ts';

const { manifest } = onnx();
const operators = (graph: Graph): string[] =>
  fuse(prepareGraph(graph, manifest, 'onnx').graph)
    .nodes.map((node) => node.operator.name)
    .filter((name) => name !== 'Input' && name !== 'Constant');

describe('fusion', () => {
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());

  it('makes a dense layer and its gradients Gemms without transposes', () => {
    const graph = trace(
      ({ x, w, b }) => {
        const { gradient } = fm.valueAndGrad(
          (p: { x: fm.Tensor; w: fm.Tensor; b: fm.Tensor }) => fm.tanh(p.x.matmul(p.w).add(p.b)).sum(),
          { x, w, b },
        );
        return gradient;
      },
      { x: fm.f32([8, 3]), w: fm.f32([3, 4]), b: fm.f32([4]) },
    );
    const names = operators(graph);
    expect(names.filter((name) => name === 'Gemm')).to.have.length(3);
    expect(names).to.not.include('Transpose');
    expect(names).to.not.include('MatMul');
  });

  it('does not fuse a bias into a product with another use', () => {
    const graph = trace(
      ({ x, w, b }) => {
        const product = x.matmul(w);
        return { product, sum: product.add(b) };
      },
      { x: fm.f32([8, 3]), w: fm.f32([3, 4]), b: fm.f32([4]) },
    );
    expect(operators(graph)).to.deep.equal(['Gemm', 'Add']);
  });

  it('does not fuse a term that is larger than the product', () => {
    const graph = trace(({ x, w, b }) => x.matmul(w).add(b), {
      x: fm.f32([1, 3]),
      w: fm.f32([3, 4]),
      b: fm.f32([5, 4]),
    });
    expect(operators(graph)).to.deep.equal(['Gemm', 'Add']);
  });

  it('fuses silu only where its sigmoid is not needed again', () => {
    const forward = trace(({ x }) => fm.silu(x), { x: fm.f32([8]) });
    expect(operators(forward)).to.deep.equal(['QuickGelu']);
    const both = trace(({ x }) => fm.valueAndGrad((y: fm.Tensor) => fm.silu(y).sum(), x), { x: fm.f32([8]) });
    expect(operators(both)).to.include('Sigmoid').and.not.include('QuickGelu');
  });

  it('computes the same as the parts', async () => {
    const next = numbers(3);
    const inputs = [[4, 5], [4, 6], [6, 5], [6], [5, 1]].map((shape) => draw({ shape, dtype: 'f32' }, [-2, 2], next));
    await expectAgreement(
      backend,
      (a, b, c, row, column) => [
        a.transpose().matmul(b),
        a
          .transpose()
          .matmul(c.transpose().matmul(b.transpose()).transpose())
          .matmul(fm.ones([5, 6]))
          .add(row),
        a.matmul(c.transpose()).add(row),
        c.transpose().matmul(b.transpose()).add(column),
        fm.add(row, a.matmul(c.transpose()).mul(a.matmul(c.transpose()))),
        fm.silu(a.matmul(c.transpose()).add(row)),
        a.mul(a).sum(1),
        a.square().sum(),
        fm
          .zeros([4, 0])
          .matmul(fm.zeros([0, 6]))
          .add(row),
      ],
      inputs,
      () => ({ absolute: 1e-4, relative: 1e-5 }),
    );
  });
});
