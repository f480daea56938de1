import type { Coupling, Objective, Optimizer, Schedule, TimeSampler } from '@flow-matching/core';
import {
  adam,
  builtinPlugins,
  conditionAwareOptimalTransport,
  conditionalFlowMatching,
  cosineSchedule,
  importance,
  noiseMatching,
  optimalTransportCoupling,
  sgd,
  uniform,
  x1Prediction,
} from '@flow-matching/plugins';
import { hostArray } from '@flow-matching/tensor';
import {
  couplingCases,
  objectiveCases,
  optimizerCases,
  scheduleCases,
  timeSamplerCases,
  type ConformanceCase,
} from '@flow-matching/conformance';
import { assert } from 'chai';
import { programCases } from '../src/suites/programCases.ts';
import { brokenBackend, frozenAverages } from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';

const lastOf = (id: string): string => id.slice(id.indexOf('/', 3) + 1);

async function breaks(cases: readonly ConformanceCase[], expected: readonly string[]): Promise<void> {
  const { broken } = await idsByStatus(cases);
  assert.sameMembers(broken.map(lastOf), [...expected]);
}

describe('broken objectives', () => {
  const right = conditionalFlowMatching();
  const paths = ['optimal-transport', 'variance-preserving', 'trigonometric'];
  const defects: readonly (readonly [what: string, objective: Objective, part: string])[] = [
    ['a target of the wrong sign', { ...right, loss: (p, sample) => right.loss(p.neg(), sample) }, 'minimizer'],
    ['a conversion that is off by a per cent', { ...right, field: (p) => p.mul(1.01) }, 'minimizer'],
    ['noise in place of its rate', { ...right, loss: (p, { noise }) => p.sub(noise).square().mean([1]) }, 'minimizer'],
    [
      'a loss that is centred over the batch',
      {
        ...right,
        loss: (p, sample) => {
          const losses = right.loss(p, sample);
          return losses.sub(losses.mean()).square();
        },
      },
      'rows',
    ],
  ];
  for (const [what, objective, part] of defects) {
    it(`are caught: ${what}`, async () => {
      const { broken } = await idsByStatus(objectiveCases(objective));
      assert.includeMembers(
        broken.map(lastOf),
        paths.map((path) => `${part} on ${path}`),
      );
    });
  }

  it('are caught: a loss of the whole batch', () =>
    breaks(
      objectiveCases({ ...right, loss: (p, { velocity }) => p.sub(velocity).square().mean() }),
      paths.flatMap((path) => ['shapes', 'rows', 'minimizer'].map((part) => `${part} on ${path}`)),
    ));

  it('refuse a suite without a path', () => {
    assert.throws(() => objectiveCases(noiseMatching(), { paths: [] }), /refuses every path/);
  });
});

describe('broken time samplers', () => {
  const cases = (sample: TimeSampler['sample']): readonly ConformanceCase[] =>
    timeSamplerCases({ name: 'broken', sample });
  const right = importance();
  it('are caught: times beyond 1', () =>
    breaks(
      cases((u) => ({ t: u.mul(1.001) })),
      ['times'],
    ));
  it('are caught: weights that forget the density', () =>
    breaks(
      cases((u) => ({ t: u.square(), weight: u.mul(0).add(1) })),
      ['times'],
    ));
  it('are caught: weights of another scale', () =>
    breaks(
      cases((u, path) => {
        const { t, weight } = right.sample(u, path);
        return { t, weight: weight!.mul(1.01) };
      }),
      ['times'],
    ));
  it('pass with the weights of their density', () =>
    breaks(
      cases((u) => ({ t: u.square(), weight: u.mul(2).add(2 ** -30) })),
      [],
    ));
});

describe('broken optimizers', () => {
  const right = sgd();
  const broken = (update: Optimizer['update']): readonly ConformanceCase[] =>
    optimizerCases({ ...right, name: 'broken', update });
  it('are caught: ascent', () =>
    breaks(
      broken(({ parameter, gradient, learningRate, state }) => ({
        parameter: parameter.add(gradient.mul(learningRate)),
        state,
      })),
      ['descent'],
    ));
  it('are caught: a rate of their own', () =>
    breaks(
      broken(({ parameter, gradient, state }) => ({ parameter: parameter.sub(gradient.mul(0.05)), state })),
      ['rest'],
    ));
  it('are caught: a decay of the wrong sign', () =>
    breaks(
      broken(({ parameter, gradient, learningRate, state }) => ({
        parameter: parameter.sub(gradient.sub(parameter.mul(0.01)).mul(learningRate)),
        state,
      })),
      ['rest'],
    ));
  it('are caught: memory beside the state', () => {
    let traces = 0;
    return breaks(
      broken(({ parameter, gradient, learningRate, state }) => ({
        parameter: parameter.sub(gradient.mul(learningRate).mul(1 / (1 + 0.01 * traces++))),
        state,
      })),
      ['resumed'],
    );
  });
  it('are caught: a state that begins with NaN', () =>
    breaks(
      optimizerCases({
        ...adam(),
        init: ({ shape }) => {
          const zeros = hostArray(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
          return { m: { ...zeros, data: zeros.data.map(() => Number.NaN) }, v: zeros };
        },
      }),
      ['state', 'rest', 'descent', 'resumed'],
    ));
});

describe('broken schedules', () => {
  const cases = (factor: Schedule['factor']): readonly ConformanceCase[] => scheduleCases({ name: 'broken', factor });
  it('are caught: a decay below 0', () =>
    breaks(
      cases((step, steps) => 1 - (2 * step) / steps),
      ['factors'],
    ));
  it('are caught: a division by no steps', () =>
    breaks(
      cases((step, steps) => step / (steps - 1)),
      ['factors'],
    ));
  it('are caught: a count of their calls', () => {
    let calls = 0;
    return breaks(
      cases(() => 1 / (1 + calls++)),
      ['factors'],
    );
  });
});

describe('broken couplings', () => {
  const right = optimalTransportCoupling();
  const cases = (pair: NonNullable<Coupling['pair']>): readonly ConformanceCase[] =>
    couplingCases({ name: 'broken', pair });
  it('are caught: the nearest source point of each, which takes some twice', () =>
    breaks(
      cases(({ x0, x1 }) => {
        const at = ({ data }: typeof x0, i: number): number[] => [data[2 * i], data[2 * i + 1]];
        const distance = (i: number, j: number): number => {
          const [[a, b], [c, d]] = [at(x1, i), at(x0, j)];
          return (a - c) ** 2 + (b - d) ** 2;
        };
        return Int32Array.from({ length: x1.shape[0] }, (_, i) => {
          let best = 0;
          for (let j = 1; j < x0.shape[0]; j++) if (distance(i, j) < distance(i, best)) best = j;
          return best;
        });
      }),
      ['permutations', 'not finite'],
    ));
  it('are caught: draws that are not the request’s', () =>
    breaks(
      cases(({ x1 }) => {
        const turn = Math.floor(Math.random() * 2 ** 20);
        const size = x1.shape[0];
        return Int32Array.from({ length: size }, (_, i) => (i + turn) % size);
      }),
      ['seeds'],
    ));
  it('are caught: points that are written to', () =>
    breaks(
      cases((request) => {
        request.x1.data[0] += 1;
        return right.pair!(request);
      }),
      ['seeds'],
    ));
  it('are caught: an untyped error', () =>
    breaks(
      cases((request) => {
        if (!request.x1.data.every(Number.isFinite)) throw new RangeError('Invalid array length');
        return right.pair!(request);
      }),
      ['not finite'],
    ));
});

describe('the parts of trainings that come with the plugins', () => {
  const ofKind = (kind: string): readonly unknown[] =>
    builtinPlugins.flatMap((plugin) => (plugin.kind === kind ? [(plugin as unknown as () => unknown)()] : []));
  const passes = async (cases: readonly ConformanceCase[]): Promise<void> => {
    const { broken, passed } = await idsByStatus(cases);
    assert.deepEqual(broken, []);
    assert.isNotEmpty(passed);
  };
  it('are schedules that pass', () =>
    passes((ofKind('schedule') as Schedule[]).flatMap((part) => scheduleCases(part))));
  it('are schedules with warm-up that pass', () =>
    passes(scheduleCases(cosineSchedule({ warmup: 100 }), { label: 'cosine warmup=100' })));
  it('are couplings that pass', async () => {
    const all = ofKind('coupling') as Coupling[];
    const conditioned = conditionAwareOptimalTransport().name;
    await passes(all.filter(({ name }) => name !== conditioned).flatMap((part) => couplingCases(part)));
    await passes(
      couplingCases(conditionAwareOptimalTransport(), {
        condition: (size) => ({
          label: hostArray(
            Float32Array.from({ length: size }, (_, i) => i % 3),
            [size, 1],
          ),
        }),
      }),
    );
  });
  it('are optimizers that pass', () =>
    passes((ofKind('optimizer') as Optimizer[]).flatMap((part) => optimizerCases(part))));
  it('are objectives that pass', () =>
    passes([conditionalFlowMatching(), noiseMatching(), x1Prediction()].flatMap((part) => objectiveCases(part))));
  it('are time samplers that pass', () =>
    passes([...(ofKind('time-sampler') as TimeSampler[]), uniform()].flatMap((part) => timeSamplerCases(part))));
});

describe('moving averages', () => {
  const averages = programCases().filter(({ id }) => id.startsWith('L5/moving average'));
  it('pass', async () => {
    assert.lengthOf((await idsByStatus(averages)).passed, 1);
  });
  it(`are caught: ${frozenAverages.name}`, async () => {
    assert.lengthOf((await idsByStatus(averages, () => brokenBackend(frozenAverages))).broken, 1);
  });
});
