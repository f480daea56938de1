import * as fm from '@flow-matching/tensor';
import { f32, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import { compiled } from './support/compiled.ts';
import { leastGpu, processor } from './support/profiles.ts';

const image = f32([2, 8, 16, 16]);

describe('fusion to kernels', () => {
  const single: Readonly<
    Record<string, [(inputs: Readonly<Record<string, Tensor>>) => Tensor, Record<string, ReturnType<typeof f32>>]>
  > = {
    'a chain of element-by-element operators': [({ x }) => x.mul(2).add(1).tanh().exp().sub(x), { x: f32([64, 64]) }],
    'broadcasts of a row and a column': [
      ({ x, row, column }) => x.mul(row).add(column),
      { x: f32([64, 64]), row: f32([64]), column: f32([64, 1]) },
    ],
    'reshapes, transposes, slices and pads': [
      ({ x }) => fm.pad(x.reshape([32, 128]).transpose().slice(0, 3, 99, 2), [1, 0], [0, 2]).mul(2),
      { x: f32([64, 64]) },
    ],
    'a concatenation of computed parts': [
      ({ x, y }) => fm.concat([x.exp(), y.mul(3), x.neg()], 1),
      { x: f32([64, 40]), y: f32([64, 3]) },
    ],
    'a gather': [({ x, i }) => fm.gather(x, i.cast('i32')).mul(2), { x: f32([64, 64]), i: f32([40]) }],
    'a reduction of something computed, and what follows from it': [
      ({ x }) => x.mul(x).sum(1).sqrt().add(1),
      { x: f32([300, 64]) },
    ],
    softmax: [({ x }) => fm.softmax(x), { x: f32([128, 300]) }],
    'softmax of short rows': [({ x }) => fm.softmax(x), { x: f32([5000, 10]) }],
    'log of softmax': [({ x }) => fm.logSoftmax(x), { x: f32([128, 300]) }],
    'log of a sum of exponentials': [({ x }) => fm.logSumExp(x, 1), { x: f32([128, 300]) }],
    'layer normalisation with scale and bias': [
      ({ x, scale, bias }) => fm.layerNorm(x, { scale, bias }),
      { x: f32([128, 300]), scale: f32([300]), bias: f32([300]) },
    ],
    'group normalisation with scale and bias': [
      ({ x, scale, bias }) => fm.groupNorm(x, 4, { scale, bias }),
      { x: image, scale: f32([8]), bias: f32([8]) },
    ],
    'group normalisation and an activation': [({ x }) => fm.silu(fm.groupNorm(x, 4)), { x: image }],
    'a product with bias and activation': [
      ({ x, w, b }) => fm.silu(x.matmul(w).add(b)),
      { x: f32([128, 64]), w: f32([64, 96]), b: f32([96]) },
    ],
    'a product of transposed operands': [
      ({ x, w }) => x.transpose().matmul(w.transpose()),
      { x: f32([64, 128]), w: f32([96, 64]) },
    ],
    'a product of a part of an array': [
      ({ x, w }) => x.slice(1, 8, 40).matmul(w.slice(0, 0, 32)),
      { x: f32([128, 64]), w: f32([64, 96]) },
    ],
    'a convolution with bias, activation and a residual': [
      ({ x, w, b, r }) => fm.silu(fm.conv2d(x, w, { padding: 1, bias: b })).add(r),
      { x: image, w: f32([8, 8, 3, 3]), b: f32([8]), r: image },
    ],
    'a convolution of an upsampled image': [
      ({ x, w }) => fm.conv2d(fm.upsampleNearest2d(x), w, { padding: 1 }),
      { x: f32([2, 8, 8, 8]), w: f32([8, 8, 3, 3]) },
    ],
  };
  for (const [what, [formula, inputs]] of Object.entries(single)) {
    it(`makes one kernel of ${what}`, () => {
      for (const profile of [leastGpu, processor]) {
        const { kernels, scratch } = compiled((given) => ({ y: formula(given) }), inputs, { profile });
        expect(kernels.map(({ label }) => label)).to.have.length(1);
        expect(scratch).to.deep.equal([]);
      }
    });
  }

  it('computes several outputs of the same elements together', () => {
    const { kernels } = compiled(({ x, y }) => ({ sum: x.add(y), difference: x.sub(y), product: x.mul(y) }), {
      x: f32([64, 64]),
      y: f32([64, 64]),
    });
    expect(kernels).to.have.length(1);
    expect(kernels[0].bytes).to.equal(5 * 4 * 64 * 64);
  });

  it('puts independent small work into one dispatch', () => {
    const { kernels } = compiled(({ x, y, z }) => ({ a: x.exp(), b: y.sum(0), c: z.neg() }), {
      x: f32([100]),
      y: f32([30, 7]),
      z: f32([3, 4]),
    });
    expect(kernels).to.have.length(1);
  });

  it('reads an operand that is needed twice from memory and does not compute it again', () => {
    const { kernels } = compiled(({ x, w }) => ({ y: x.exp().matmul(w) }), { x: f32([128, 64]), w: f32([64, 64]) });
    expect(kernels.map(({ label }) => label)).to.deep.equal(['Exp', 'MatMul']);
  });

  it('uses the buffers between kernels again', () => {
    const layers = 12;
    const { kernels, scratch } = compiled(
      ({ x, w }) => ({ y: Array.from({ length: layers }).reduce<Tensor>((h) => fm.silu(h.matmul(w)), x) }),
      { x: f32([128, 64]), w: f32([64, 64]) },
    );
    expect(kernels).to.have.length(layers);
    expect(scratch).to.deep.equal([4 * 128 * 64, 4 * 128 * 64]);
  });

  it('writes an updated array over the old one where nothing reads it later', () => {
    const inputs = { w: f32([64, 64]), g: f32([64, 64]) };
    const aliases = [['w', 'w']] as const;
    const inPlace = compiled(({ w, g }) => ({ w: w.sub(g.mul(0.1)) }), inputs, { aliases });
    expect(inPlace.outputs[0].reuses).to.equal('w');
    expect(inPlace.kernels[0].bindings).to.have.length(2);
    // Elements of the transposed array are read by other invocations.
    const apart = compiled(({ w, g }) => ({ w: w.transpose().sub(g) }), inputs, { aliases });
    expect(apart.outputs[0].reuses).to.equal(undefined);
  });

  it('does not write over an array that wider outputs of the same rows read later', () => {
    const { outputs } = compiled(
      ({ x, z }) => {
        const sum = z.sum(1).add(x);
        return { y: sum, wide: z.mul(x.reshape([2000, 1])).add(sum.reshape([2000, 1])) };
      },
      { x: f32([2000]), z: f32([2000, 64]) },
      { aliases: [['x', 'y']] },
    );
    expect(outputs[0].reuses).to.equal(undefined);
  });

  it('never reads in a kernel what the same kernel writes between kernels', () => {
    const names = Array.from({ length: 10 }, (_, i) => `x${i}`);
    const inputs = Object.fromEntries(names.map((name) => [name, f32([256, 256])]));
    const sum = (given: Readonly<Record<string, Tensor>>, from: number, to: number): Tensor =>
      names
        .slice(from, to)
        .map((name) => given[name])
        .reduce((total, x) => total.add(x));
    const { kernels } = compiled((given) => {
      const shared = sum(given, 0, 5);
      return { a: shared.transpose().mul(2), b: sum(given, 5, 10).add(shared) };
    }, inputs);
    for (const { bindings, code } of kernels) {
      bindings.forEach(({ buffer, writes }, i) => {
        if (buffer.kind === 'scratch' && writes) expect(code).to.not.match(new RegExp(`= b${i}\\[`));
      });
    }
  });

  it('cuts long sums so that many workgroups share them', () => {
    const { kernels } = compiled(({ x }) => ({ y: x.square().sum() }), { x: f32([1024, 512]) });
    expect(kernels).to.have.length(2);
    expect(kernels[0].workgroups[0]).to.be.greaterThan(64);
  });

  it('cuts the long sums of weight gradients, of convolutions too', () => {
    const product = compiled(({ x, g }) => ({ y: x.transpose().matmul(g) }), {
      x: f32([8192, 64]),
      g: f32([8192, 64]),
    });
    expect(product.kernels[0].workgroups[0]).to.be.greaterThan(16);
    const convolution = compiled(
      ({ x, w, g }) => ({
        y: fm.valueAndGrad(({ w }: { w: Tensor }) => fm.conv2d(x, w, { padding: 1 }).mul(g).sum(), { w }).gradient.w,
      }),
      { x: f32([32, 8, 16, 16]), w: f32([8, 8, 3, 3]), g: f32([32, 8, 16, 16]) },
    );
    expect(convolution.kernels[0].workgroups[0]).to.be.greaterThan(8);
  });

  it('accepts empty arrays as operands', () => {
    const { kernels } = compiled(({ x }) => ({ empty: x.mul(2), padded: fm.pad(x.mul(2), [0], [3], 1) }), {
      x: f32([0]),
    });
    expect(kernels.map(({ label }) => label)).to.deep.equal(['Pad']);
  });

  it('keeps within the buffers that a kernel may use', () => {
    const names = Array.from({ length: 30 }, (_, i) => `x${i}`);
    const inputs = Object.fromEntries(names.map((name) => [name, f32([64, 64])]));
    for (const formula of [
      (given: Readonly<Record<string, Tensor>>) =>
        fm.concat(
          names.map((name) => given[name]),
          0,
        ),
      (given: Readonly<Record<string, Tensor>>) => names.map((name) => given[name]).reduce((sum, x) => sum.add(x)),
    ]) {
      const { kernels } = compiled((given) => ({ y: formula(given) }), inputs);
      expect(kernels.length).to.be.greaterThan(3);
      for (const { bindings } of kernels) expect(bindings.length).to.be.at.most(leastGpu.storageBuffers);
    }
  });
});
