import { onnx } from '@flow-matching/backend-onnx';
import { derivativeCases, tailCases, type Differentiable } from '@flow-matching/conformance';
import { add, elementwiseComposite, expm1, HostRandomStream, mul, sigmoid, type Tensor } from '@flow-matching/tensor';
import { assert } from 'chai';
import { brokenBackend, forgottenUnbroadcast } from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';
import { operatorCases } from '../src/suites/operatorCases.ts';

/** x · sigmoid(x) with a derivative of its own. */
const swish = (name: string, derivative: (x: Tensor, y: Tensor) => Tensor): Differentiable => ({
  name,
  formula: elementwiseComposite(
    name,
    (x) => mul(x, sigmoid(x)),
    ([x], y) => derivative(x, y),
  ),
  at: [new HostRandomStream(3).normal([3, 4])],
});

describe('level 3', () => {
  it(`catches ${forgottenUnbroadcast.name}, which the operators' own cases do not`, async () => {
    const create = () => brokenBackend(forgottenUnbroadcast);
    const operators = operatorCases().filter(({ id }) => /^L1\/(Mul|ReduceSum)\/f32/.test(id));
    assert.deepEqual((await idsByStatus(operators, create)).broken, []);
    const { broken } = await idsByStatus(derivativeCases(), create);
    assert.includeMembers(broken, ['L3/mul/f32', 'L3/div/f32']);
    for (const name of ['add', 'exp', 'matmul'])
      assert.notInclude(broken, `L3/${name}/f32`, 'what has no product that is broadcast passes');
  });

  it('catches a composite whose fused gradient is off', async () => {
    const s = sigmoid;
    const { passed, broken } = await idsByStatus(
      derivativeCases([
        swish('right', (x, y) => s(x).add(mul(y, s(x).neg().add(1)))),
        swish('without its second term', (x) => s(x)),
        swish('off by a thousandth', (x, y) => s(x).add(mul(y, s(x).neg().add(1.001)))),
      ]),
      () => onnx(),
    );
    assert.deepEqual(passed, ['L3/right/f32']);
    assert.deepEqual(broken, ['L3/without its second term/f32', 'L3/off by a thousandth/f32']);
  });

  it('catches a derivative that loses its digits where the value hides it', async () => {
    const tail = {
      name: 'expm1 by its value',
      formula: elementwiseComposite('Expm1ByValue', expm1, (_, y) => add(y, 1)),
      derivative: Math.exp,
      at: [-9, -5, 3],
      roundings: (x: number) => 16 + 8 * Math.abs(x),
    };
    const { broken } = await idsByStatus(tailCases([tail]), () => onnx());
    assert.deepEqual(broken, ['L3/expm1 by its value/f32/tails']);
  });
});
