import {
  mlp,
  bosh3Tableau,
  dopri5Tableau,
  dopri8Tableau,
  eulerMaruyama,
  heun2Tableau,
  optimalTransport,
  rk4Tableau,
  tsit5Tableau,
} from '@flow-matching/plugins';
import {
  exactDivergence,
  explicitRungeKutta,
  gaussianPath,
  hutchinsonDivergence,
  type Path,
  type PointField,
  type Tensor,
  type VectorFieldModel,
} from '@flow-matching/core';
import { modelCases, pathCases, solverCases } from '@flow-matching/conformance';
import { assert } from 'chai';
import { divergenceCases } from '../src/mathematics/divergenceCases.ts';
import { samplingCases } from '../src/mathematics/samplingCases.ts';
import { brokenBackend, repeatedNoise } from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';

describe('broken mathematics', () => {
  /** Whether exactly these cases fail, of an id's last part each. */
  const breaksOnly = async (
    cases: Parameters<typeof idsByStatus>[0],
    expected: readonly string[],
    create?: Parameters<typeof idsByStatus>[1],
  ): Promise<void> => {
    const { broken, passed } = await idsByStatus(cases, create);
    const last = (id: string): string => id.slice(id.indexOf('/', 3) + 1);
    assert.deepEqual(broken.map(last), expected);
    assert.lengthOf(passed, cases.length - expected.length);
  };

  it('a field of the wrong sign', async () => {
    const right = optimalTransport();
    const path: Path = { ...right, field: (t, x, z) => right.field!(t, x, z).neg() };
    await breaksOnly(pathCases(path), ['target', 'field', 'transport', 'continuity', 'gradients']);
  });

  it('a std that is wrong at the data', () => breaksOnly(pathCases(pathWithStd((t) => t.mul(-0.4).add(1))), ['ends']));

  it('a std that is wrong at the noise', () =>
    breaksOnly(pathCases(pathWithStd((t) => t.mul(-0.89).add(0.9))), ['ends']));

  it('a solver of order one less than it declares', () =>
    breaksOnly(
      solverCases(({ steps = 4 }) => explicitRungeKutta('overstated', { ...heun2Tableau, order: 3 }, { steps })),
      ['order', 'order conditions', 'order backwards'],
    ));

  // Their leading error terms are so small that slopes in f32 are those of the next order.
  for (const [name, tableau] of Object.entries({ rk4Tableau, dopri5Tableau, tsit5Tableau, dopri8Tableau })) {
    it(`${name} declared one order too high`, () =>
      breaksOnly(
        solverCases(({ steps = 4 }) =>
          explicitRungeKutta('overstated', { ...tableau, order: tableau.order + 1 }, { steps }),
        ),
        ['order conditions'],
      ));
  }

  it('a solver that underestimates its errors', () =>
    breaksOnly(
      solverCases(({ rtol = 0, atol = 0, maxSteps = 10_000 }) => {
        const { embedded } = bosh3Tableau;
        const errorWeights = embedded!.errorWeights.map((weight) => weight / 1e4);
        return explicitRungeKutta(
          'careless',
          { ...bosh3Tableau, embedded: { ...embedded!, errorWeights } },
          { rtol, atol, maxSteps },
        );
      }),
      // It rejects no step, and strides across what is stiff.
      ['tolerance', 'backwards', 'counts', 'stiff'],
    ));

  it('an exact divergence of the wrong sign', () =>
    breaksOnly(
      divergenceCases({
        hutchinsonDivergence,
        exactDivergence: (field: PointField, x: Tensor) => {
          const { velocity, divergence } = exactDivergence(field, x);
          return { velocity, divergence: divergence.neg() };
        },
      }),
      ['exact, 3 dimensions', 'exact, 20 dimensions'],
    ));

  it('noise that repeats across samples', async () => {
    const create = () => brokenBackend(repeatedNoise);
    await breaksOnly(samplingCases(), ['prior moments', 'independent draws'], create);
    const { broken, passed } = await idsByStatus(solverCases(eulerMaruyama), create);
    assert.include(broken, 'L4/euler-maruyama/independent noise');
    assert.deepEqual(passed, ['L4/euler-maruyama/counts']);
  });

  it('a model that mixes its samples', () => {
    const right = mlp({ width: 8, depth: 2 }) as unknown as VectorFieldModel;
    const model: VectorFieldModel = {
      ...right,
      apply: (parameters, { x, ...rest }) =>
        right.apply(parameters, { ...rest, x: x.sub(x.mean(0, { keepdims: true })) }),
    };
    return breaksOnly(modelCases(model), ['rows']);
  });

  it('a model with a parameter that it does not use', () => {
    const right = mlp({ width: 8, depth: 2 }) as unknown as VectorFieldModel;
    const model: VectorFieldModel = {
      ...right,
      init: (random, context) => ({ used: right.init(random, context), spare: random.normal([3]) }),
      apply: (parameters, inputs) => right.apply((parameters as Record<string, never>)['used'], inputs),
    };
    return breaksOnly(modelCases(model), ['gradients']);
  });
});

/** Mean t·x1, with a std that is not checked when the path is made. */
const pathWithStd = (std: (t: Tensor) => Tensor): Path =>
  gaussianPath({ name: 'bent', check: false, mean: (t, x1) => x1.mul(t), std });
