import { type Optimizer } from '@flow-matching/core';
import { OptionError, type HostArray, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { adam, adamw, cosineSchedule, sgd } from '../src/index.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

const oracle = JSON.parse(readFileSync(new URL('../../../test/oracles/adam.json', import.meta.url), 'utf8')) as {
  init: number[];
  target: number[];
  trajectory: number[][];
};

interface Point {
  readonly parameter: number[];
  readonly state: Readonly<Record<string, number[]>>;
}

const wide = (values: readonly number[]): HostArray => f64Input(values);

/** One update on the reference. */
function step(
  optimizer: Optimizer,
  { parameter, state }: Point,
  gradient: readonly number[],
  number: number,
  learningRate = optimizer.learningRate,
): Point {
  const states = Object.fromEntries(Object.entries(state).map(([name, values]) => [`state.${name}`, wide(values)]));
  const out = evaluate(
    (given) => {
      const current = Object.fromEntries(Object.keys(state).map((name) => [name, given[`state.${name}`]]));
      const { parameter, gradient, learningRate, step } = given;
      const updated = optimizer.update({ parameter, gradient, learningRate, step, state: current });
      return {
        parameter: updated.parameter,
        ...Object.fromEntries(
          Object.entries(updated.state).map(([name, value]): [string, Tensor] => [`state.${name}`, value]),
        ),
      };
    },
    {
      parameter: wide(parameter),
      gradient: wide(gradient),
      learningRate: f64Input(learningRate),
      step: f64Input(number),
      ...states,
    },
  );
  const { parameter: updated, ...rest } = out;
  return {
    parameter: updated,
    state: Object.fromEntries(Object.entries(rest).map(([name, values]) => [name.replace('state.', ''), values])),
  };
}

const start = (optimizer: Optimizer, parameter: number[]): Point => ({
  parameter,
  state: Object.fromEntries(
    Object.entries(optimizer.init({ shape: [parameter.length], dtype: 'f32' })).map(([name, { data }]) => [
      name,
      Array.from(data),
    ]),
  ),
});

const gradientAt = (p: readonly number[]): number[] =>
  p.map((value, i) => 2 * (i + 1) * (value - oracle.target[i]) + Math.cos(value));

function run(optimizer: Optimizer, steps: number): number[][] {
  let point = start(optimizer, oracle.init);
  return Array.from(
    { length: steps },
    (_, i) => (point = step(optimizer, point, gradientAt(point.parameter), i + 1)).parameter,
  );
}

describe('adam', () => {
  it('takes the twenty steps of the oracle', () => {
    const trajectory = run(adam({ learningRate: 0.05 }), 20);
    trajectory.forEach((parameter, i) =>
      expectClose(parameter, oracle.trajectory[i], 1e-13, `parameters after step ${i + 1}`),
    );
  });

  it('starts from zero moments of the parameter', () => {
    const { firstMoment, secondMoment } = adam().init({ shape: [2, 3], dtype: 'f32' });
    for (const moment of [firstMoment, secondMoment])
      expect(moment).to.deep.equal({ data: new Float32Array(6), shape: [2, 3], dtype: 'f32' });
    expect(firstMoment.data).to.not.equal(secondMoment.data);
  });

  it('follows the learning rate that it is fed', () => {
    const optimizer = adam();
    const point = start(optimizer, oracle.init);
    const moves = [1e-3, 2e-3].map((rate) =>
      step(optimizer, point, gradientAt(oracle.init), 1, rate).parameter.map((value, i) => value - oracle.init[i]),
    );
    expectClose(
      moves[1],
      moves[0].map((move) => 2 * move),
      1e-15,
    );
    // Adam's first step is the learning rate itself, whatever the gradient.
    expectClose(
      moves[0].map(Math.abs),
      moves[0].map(() => 1e-3),
      1e-10,
    );
  });

  it('has the defaults of its paper and takes a schedule', () => {
    const schedule = cosineSchedule();
    expect(adam().learningRate).to.equal(1e-3);
    expect(adam().schedule.factor(7, 10)).to.equal(1);
    expect(adam({ schedule }).schedule).to.equal(schedule);
    expect(() => adam({ beta1: 1 })).to.throw(OptionError, 'beta1');
    expect(() => adam({ schedule: 'cosine' as never })).to.throw(OptionError, 'schedule');
  });
});

describe('adamw', () => {
  it('shrinks parameters apart from the gradient', () => {
    const [plain, decayed] = [adam({ learningRate: 0.05 }), adamw({ learningRate: 0.05, weightDecay: 0.1 })].map(
      (optimizer) => run(optimizer, 1)[0],
    );
    expectClose(
      decayed,
      plain.map((value, i) => value - 0.05 * 0.1 * oracle.init[i]),
      1e-15,
    );
  });

  it('without decay is adam', () => {
    expect(run(adamw({ learningRate: 0.05, weightDecay: 0 }), 5)).to.deep.equal(run(adam({ learningRate: 0.05 }), 5));
  });
});

/** PyTorch's SGD, by hand. */
const expectedSteps = (momentum: number, nesterov: boolean): number[][] => {
  let p = oracle.init;
  let velocity = p.map(() => 0);
  return Array.from({ length: 4 }, () => {
    const g = gradientAt(p);
    velocity = velocity.map((v, i) => momentum * v + g[i]);
    p = p.map((value, i) => value - 0.01 * (nesterov ? g[i] + momentum * velocity[i] : velocity[i]));
    return p;
  });
};

describe('sgd', () => {
  for (const [momentum, nesterov] of [
    [0, false],
    [0.9, false],
    [0.9, true],
  ] as const) {
    it(`with momentum ${momentum}${nesterov ? ', Nesterov' : ''} takes PyTorch's steps`, () => {
      const trajectory = run(sgd({ learningRate: 0.01, momentum, nesterov }), 4);
      expectedSteps(momentum, nesterov).forEach((parameter, i) =>
        expectClose(trajectory[i], parameter, 1e-14, `parameters after step ${i + 1}`),
      );
    });
  }

  it('keeps no state that it does not need', () => {
    expect(sgd().init({ shape: [3], dtype: 'f32' })).to.deep.equal({});
  });

  it("refuses Nesterov's step without momentum", () => {
    expect(() => sgd({ nesterov: true })).to.throw(OptionError, 'momentum');
  });
});
