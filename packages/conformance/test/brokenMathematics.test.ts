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
  type VectorFieldModel,
} from '@flow-matching/core';
import { cos, less, sin, stopGradient, where, type Tensor } from '@flow-matching/tensor';
import { conformance, modelCases, pathCases, solverCases } from '@flow-matching/conformance';
import { assert } from 'chai';
import { divergenceCases } from '../src/mathematics/divergenceCases.ts';
import { drawPrior, samplingCases } from '../src/mathematics/samplingCases.ts';
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
    await breaksOnly(pathCases(path), ['target', 'rates', 'field', 'transport', 'continuity', 'gradients']);
  });

  it('a std that is wrong at the data', () => breaksOnly(pathCases(pathWithStd((t) => t.mul(-0.4).add(1))), ['ends']));

  it('a std that is wrong at the noise', () =>
    breaksOnly(pathCases(pathWithStd((t) => t.mul(-0.89).add(0.9))), ['ends']));

  it('a solver of order one less than it declares', () =>
    breaksOnly(
      solverCases(({ steps = 4 }) => explicitRungeKutta('overstated', { ...heun2Tableau, order: 3 }, { steps })),
      ['order', 'order conditions', 'order backwards', 'kept states'],
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
      ['tolerance', 'error estimate', 'kept states by tolerance', 'backwards', 'counts', 'stiff'],
    ));

  const { embedded, ...withoutEstimate } = dopri5Tableau;
  const { errorWeights } = embedded!;
  const estimates: Readonly<Record<string, readonly number[]>> = {
    'two of its weights exchanged': errorWeights.with(2, errorWeights[3]).with(3, errorWeights[2]),
    'the difference of the first and the last stage': errorWeights.map((_, i, { length }) =>
      i === 0 ? 0.01 : i === length - 1 ? -0.01 : 0,
    ),
  };
  for (const [what, weights] of Object.entries(estimates)) {
    it(`dopri5 whose error estimate has the wrong order: ${what}`, async () => {
      const cases = solverCases(({ rtol = 0, atol = 0, maxSteps = 10_000 }) =>
        explicitRungeKutta(
          'misjudging',
          { ...withoutEstimate, embedded: { order: embedded!.order, errorWeights: weights } },
          { rtol, atol, maxSteps },
        ),
      ).filter(({ id }) => /tolerance$|estimate|backwards|interval|max steps/.test(id));
      await breaksOnly(cases, ['error estimate']);
    });
  }

  it('states kept inside steps by a straight line', () =>
    breaksOnly(
      solverCases(({ rtol = 0, atol = 0, maxSteps = 10_000 }) =>
        explicitRungeKutta(
          'straight',
          { ...dopri5Tableau, interpolant: dopri5Tableau.weights.map((weight) => [weight]) },
          { rtol, atol, maxSteps },
        ),
      ).filter(({ id }) => /tolerance$|estimate|backwards|interval|counts/.test(id)),
      ['kept states by tolerance'],
    ));

  const biased =
    (factor: (probes: number) => number): typeof hutchinsonDivergence =>
    (field, x, probes) => {
      const { velocity, divergence } = hutchinsonDivergence(field, x, probes);
      return { velocity, divergence: divergence.mul(factor(probes.length)) };
    };

  it('Hutchinson probes that are summed', () =>
    breaksOnly(divergenceCases({ exactDivergence, hutchinsonDivergence: biased((probes) => probes) }), [
      'Hutchinson, 3 given probes',
    ]));

  it('a Hutchinson estimate that is off by two percent', () =>
    breaksOnly(
      divergenceCases({ exactDivergence, hutchinsonDivergence: biased(() => 1.02) }).filter(
        ({ id }) => !id.includes('adem') && !id.includes('gaussian'),
      ),
      ['Hutchinson, a given probe', 'Hutchinson, 3 given probes'],
    ));

  it("a sampler that forgets the prior's standard deviation", async () => {
    const forgetful: typeof drawPrior = async (context, path) => {
      const { data, ...type } = await drawPrior(context, path);
      const { priorStd } = path;
      return {
        ...type,
        data: data.map((value, i) => value / (typeof priorStd === 'number' ? priorStd : priorStd[i % 2])),
      };
    };
    const { broken } = await idsByStatus(samplingCases(forgetful));
    const paths = broken.filter((id) => id.includes('moments')).map((id) => id.replace(/.* on /, ''));
    assert.deepEqual(paths, ['variance-exploding', 'custom std per dimension']);
  });

  /** What a formula is at times close to the start, and close to the end, in place of what it should be. */
  const nearEnds = (t: Tensor, inner: Tensor, outer: Tensor): Tensor =>
    where(less(t.sub(0.5).abs(), 0.5 - 2 ** -7), inner, outer);

  it('rates that are wrong close to the ends', async () => {
    const path = gaussianPath({
      name: 'stiff at its ends',
      check: false,
      mean: (t, x1) => x1.mul(t),
      std: (t) => {
        const std = t.mul(-0.9).add(1);
        return nearEnds(t, std, stopGradient(std));
      },
    });
    await breaksOnly(pathCases(path), ['rates']);
  });

  it('a written field that is wrong close to the ends', async () => {
    const right = optimalTransport();
    const path: Path = {
      ...right,
      field: (t, x, z) => {
        const field = right.field!(t, x, z);
        return nearEnds(t.reshape([t.size, ...x.shape.slice(1).map(() => 1)]), field, field.mul(1.01));
      },
    };
    await breaksOnly(pathCases(path), ['rates']);
  });

  it('a path that loses its digits in f32, by default', async () => {
    const angle = Math.PI / 2;
    // cos(πt/2) of a rounded angle: what is left of it near t = 1 is rounding.
    const path = gaussianPath({
      name: 'cosine',
      mean: (t, x1) => x1.mul(sin(t.mul(angle))),
      std: (t) => cos(t.mul(angle)),
    });
    const inDouble = await idsByStatus(pathCases(path));
    assert.deepEqual(inDouble.broken, []);
    const failures: string[] = [];
    const bodies: (() => Promise<void>)[] = [];
    const it = (title: string, body: (this: unknown) => Promise<void>): void =>
      void bodies.push(() => body.call({}).catch(() => void failures.push(title.replace(/:.*/, ''))));
    conformance.path(path, { test: { describe: (_, define) => define(), it } });
    for (const body of bodies) await body();
    assert.include(failures, 'L4/cosine/formulas');
  });

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
    await breaksOnly(
      samplingCases().filter(({ id }) => id.endsWith('on optimal-transport')),
      ['prior moments on optimal-transport', 'independent draws on optimal-transport'],
      create,
    );
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
