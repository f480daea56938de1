import { expect } from 'chai';
import { largestCount, largestStepCount, OptionError } from '@flow-matching/tensor';
import { explicitRungeKutta, stochasticSteps, type ButcherTableau } from '../src/index.ts';

/** Heun's method with Euler's as the estimate. */
const tableau: ButcherTableau = {
  order: 2,
  nodes: [0, 1],
  stages: [[], [1]],
  weights: [1 / 2, 1 / 2],
  embedded: { order: 1, errorWeights: [-1 / 2, 1 / 2] },
};

describe('counts of steps', () => {
  it('that are fixed end where f32 no longer tells their ends apart', () => {
    const makers = [
      (steps: number) => explicitRungeKutta('heun', tableau, { steps }),
      (steps: number) =>
        stochasticSteps({ name: 'still', order: 1, evaluations: 1, advance: ({ y }) => y }, steps, [0, 1]),
    ];
    expect(Math.fround(largestStepCount - 0.5), 'half a step before the end').to.equal(largestStepCount - 0.5);
    for (const make of makers) {
      expect(make(largestStepCount).maxSteps).to.equal(largestStepCount);
      for (const steps of [0, 1.5, NaN, largestStepCount + 1, 2 ** 53, 1e300])
        expect(() => make(steps), `${steps}`).to.throw(OptionError, `cannot take ${steps} steps`);
    }
  });

  it('that are attempted are i32', () => {
    const make = (maxSteps: number) => explicitRungeKutta('heun', tableau, { rtol: 1e-3, atol: 1e-3, maxSteps });
    expect(make(largestCount).maxSteps).to.equal(largestCount);
    for (const steps of [0, NaN, largestCount + 1, 1e300])
      expect(() => make(steps), `${steps}`).to.throw(OptionError, `'maxSteps' = ${steps}`);
  });
});

describe('settings of a step-size controller', () => {
  it('are numbers that f32 holds', () => {
    for (const option of ['rtol', 'atol', 'proportional', 'integral'])
      for (const value of [-1, NaN, Infinity, 1e300])
        expect(() => explicitRungeKutta('heun', tableau, { rtol: 1e-3, atol: 1e-3, [option]: value }), option)
          .to.throw(OptionError, `'${option}' = ${value}`)
          .with.deep.property('actual', value);
  });
});
