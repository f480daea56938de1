import { composite, type Composite } from '../graph/composite.ts';
import { elementwiseComposite } from './elementwiseComposite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { abs, add, maximum, mul, neg } from '../operators/arithmetic.ts';
import { greater } from '../operators/logic.ts';
import { erf, exp, log1p, sigmoid, tanh } from '../operators/transcendental.ts';

type Activation = (x: Tensor) => Tensor;

/** max(x, 0). The derivative at 0 is 0. */
export const relu: Activation = elementwiseComposite(
  'Relu',
  (x) => maximum(x, 0),
  ([x]) => greater(x, 0).cast(x.dtype),
);

/** x · sigmoid(x), also known as swish. */
export const silu: Activation = elementwiseComposite(
  'Silu',
  (x) => mul(x, sigmoid(x)),
  ([x], y) => {
    const s = sigmoid(x);
    return add(s, mul(y, s.neg().add(1)));
  },
);

/** log(1 + exp(x)), without overflow for large x or loss of precision for very negative x. */
export const softplus: Activation = elementwiseComposite(
  'Softplus',
  (x) => add(maximum(x, 0), log1p(exp(neg(abs(x))))),
  ([x]) => sigmoid(x),
);

interface GeluAttributes extends Attributes {
  readonly approximate: 'none' | 'tanh';
}

const sqrtTwoOverPi = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** tanh's argument in the approximation: √(2/π)·(x + 0.044715·x³). */
const tanhArgument = (x: Tensor): Tensor => mul(mul(x, x.square().mul(cubic).add(1)), sqrtTwoOverPi);

function geluFormula(x: Tensor, approximate: GeluAttributes['approximate']): Tensor {
  const onePlusErf = approximate === 'tanh' ? tanh(tanhArgument(x)).add(1) : erf(x.mul(Math.SQRT1_2)).add(1);
  return mul(x.mul(0.5), onePlusErf);
}

/** Φ(x) + x·φ(x) with the standard normal's Φ and φ, or the derivative of the tanh approximation. */
function geluDerivative(x: Tensor, approximate: GeluAttributes['approximate']): Tensor {
  if (approximate === 'none') {
    const share = erf(x.mul(Math.SQRT1_2)).add(1).mul(0.5);
    const density = exp(x.square().mul(-0.5)).mul(1 / Math.sqrt(2 * Math.PI));
    return add(share, mul(x, density));
  }
  const t = tanh(tanhArgument(x));
  const slope = x
    .square()
    .mul(3 * cubic)
    .add(1)
    .mul(sqrtTwoOverPi);
  return add(t.add(1).mul(0.5), mul(mul(x.mul(0.5), t.square().neg().add(1)), slope));
}

export const Gelu: Composite<GeluAttributes> = composite<GeluAttributes>(
  'Gelu',
  ([x], { approximate }) => geluFormula(x, approximate),
  {
    vjp: ({ inputs: [x], attributes: { approximate } }, [cotangent]) => [
      mul(cotangent!, geluDerivative(x, approximate)),
    ],
    jvp: ({ inputs: [x], attributes: { approximate } }, [tangent]) => [mul(tangent!, geluDerivative(x, approximate))],
  },
);

/** x · Φ(x) with the standard normal's distribution function, or its tanh approximation (Hendrycks & Gimpel, arXiv 1606.08415). */
export const gelu = (x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor => Gelu([x], { approximate })[0];
