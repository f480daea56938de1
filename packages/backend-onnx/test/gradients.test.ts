import * as fm from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
import type { Tensor, TensorType } from '@flow-matching/core';
import { draw, expectAgreement, numbers } from './support/agreement.ts';

const f32 = (...shape: number[]): TensorType => ({ shape, dtype: 'f32' });

const tolerance = (): { absolute: number; relative: number } => ({ absolute: 2e-5, relative: 2e-5 });
const dense = (x: Tensor, w: Tensor, b: Tensor): Tensor => x.matmul(w).add(b);
const hessianTimes = (x: Tensor, w: Tensor, direction: Tensor): Tensor =>
  fm.jvp((at) => [fm.grad((y: Tensor) => fm.mean(fm.silu(y.matmul(w)).square()), at)], [x], [direction]).tangents[0];

const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  silu: fm.silu,
  gelu: (x) => fm.gelu(x),
  relu: fm.relu,
  softplus: fm.softplus,
  tanh: fm.tanh,
};

describe('derivatives on ONNX Runtime agree with the reference', () => {
  const backend = onnx({ threads: 2 });
  after(() => backend.dispose());

  /** Value and gradient by every input of a scalar function of arrays drawn for `types`. */
  async function check(loss: (...inputs: Tensor[]) => Tensor, types: readonly TensorType[]): Promise<void> {
    const next = numbers(7);
    const inputs = types.map((type) => draw(type, [-0.8, 0.8], next));
    const withGradient = (...tensors: Tensor[]): Tensor[] => {
      const { value, gradient } = fm.valueAndGrad((at: Tensor[]) => loss(...at), tensors);
      return [value, ...gradient];
    };
    await expectAgreement(backend, withGradient, inputs, tolerance);
  }

  for (const [name, activation] of Object.entries(activations)) {
    it(`a dense network with ${name}`, async () => {
      await check(
        (x, w0, b0, w1, b1, w2, b2) =>
          fm.mean(dense(activation(dense(activation(dense(x, w0, b0)), w1, b1)), w2, b2).square()),
        [f32(40, 3), f32(3, 16), f32(16), f32(16, 16), f32(16), f32(16, 2), f32(2)],
      );
    });
  }

  it('a convolutional network with strides, groups and group normalisation', async () => {
    await check(
      (x, w0, w1, w2, scale, bias) => {
        const first = fm.silu(fm.groupNorm(fm.conv2d(x, w0, { padding: 1 }), 2, { scale, bias }));
        const second = fm.silu(fm.conv2d(first, w1, { stride: 2, padding: 1 }));
        return fm.mean(fm.conv2d(fm.upsampleNearest2d(second, 2), w2, { groups: 2, padding: 1 }).square());
      },
      [f32(2, 3, 8, 8), f32(8, 3, 3, 3), f32(6, 8, 3, 3), f32(4, 3, 3, 3), f32(8), f32(8)],
    );
  });

  it('attention', async () => {
    await check(
      (q, k, v) => fm.mean(fm.scaledDotProductAttention(q, k, v).square()),
      [f32(2, 2, 5, 4), f32(2, 2, 6, 4), f32(2, 2, 6, 3)],
    );
  });

  it('forward over reverse', async () => {
    const next = numbers(11);
    const inputs = [f32(6, 4), f32(4, 4), f32(6, 4)].map((type) => draw(type, [-0.8, 0.8], next));
    await expectAgreement(backend, hessianTimes, inputs, tolerance);
  });
});
