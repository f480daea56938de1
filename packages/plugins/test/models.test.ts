import { type ModelContext } from '@flow-matching/core';
import {
  DTypeError,
  f32,
  flattenTree,
  HostRandomStream,
  i32,
  mapTree,
  OptionError,
  trace,
  valueAndGrad,
  type HostArray,
  type Tensor,
  type Tree,
} from '@flow-matching/tensor';
import { expect } from 'chai';
import { activationNames, activations, mlp, timeEmbeddingNames, timeEmbeddings } from '../src/index.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

type Options = Parameters<typeof mlp>[0];

/** Output, loss and gradients of a model on the reference, at three points. */
function run(
  options: Options,
  context: ModelContext,
  inputs: { t: number[]; x: HostArray; condition?: Record<string, HostArray> },
  seed = 0,
): Record<string, number[]> {
  const model = mlp(options);
  const parameters = model.init(new HostRandomStream(seed), context);
  const named = Object.fromEntries(
    flattenTree<HostArray>(parameters).map(([name, array]) => [`parameters.${name}`, array]),
  );
  const conditions = Object.fromEntries(
    Object.entries(inputs.condition ?? {}).map(([name, array]) => [`condition.${name}`, array]),
  );
  return evaluate(
    (given) => {
      const condition = Object.fromEntries(
        Object.keys(inputs.condition ?? {}).map((name) => [name, given[`condition.${name}`]]),
      );
      const symbols = mapTree<HostArray, Tensor>(parameters, (_, name) => given[`parameters.${name}`]);
      const field = (at: Tree<Tensor>): Tensor => model.apply(at as never, { t: given['t'], x: given['x'], condition });
      const { value, gradient } = valueAndGrad((at: Tree<Tensor>) => field(at).square().sum(), symbols);
      return {
        output: field(symbols),
        value,
        ...Object.fromEntries(
          flattenTree<Tensor>(gradient, 'gradient').map(([name, tensor]) => [`gradient.${name}`, tensor]),
        ),
      };
    },
    { ...named, ...conditions, t: f64Input(inputs.t), x: inputs.x },
  );
}

const threePoints = f64Input([
  [0.1, -2],
  [1.5, 0.3],
  [0, 0],
]);

const firstWeight = (seed: number): HostArray =>
  flattenTree<HostArray>(mlp({ width: 8 }).init(new HostRandomStream(seed), { shape: [2] }))[0][1];

describe('mlp', () => {
  it('has depth linear layers of the given width, [in, out], and shapes its output like its input', () => {
    const model = mlp({ width: 7, depth: 3 });
    const shapes = (context: ModelContext): unknown =>
      mapTree<HostArray, { shape: readonly number[]; dtype: string }>(
        model.init(new HostRandomStream(0), context),
        ({ shape, dtype }) => ({ shape: [...shape], dtype }),
      );
    expect(shapes({ shape: [2] })).to.deep.equal({
      layers: [
        { weight: { shape: [3, 7], dtype: 'f32' }, bias: { shape: [7], dtype: 'f32' } },
        { weight: { shape: [7, 7], dtype: 'f32' }, bias: { shape: [7], dtype: 'f32' } },
        { weight: { shape: [7, 2], dtype: 'f32' }, bias: { shape: [2], dtype: 'f32' } },
      ],
    });
    for (const shape of [[], [5], [2, 3], [1, 4, 2]]) {
      const parameters = model.init(new HostRandomStream(0), { shape });
      const layers = parameters.layers.map(({ weight, bias }) => ({
        weight: f32(weight.shape),
        bias: f32(bias.shape),
      }));
      const graph = trace((given) => ({ y: model.apply({ layers: given.layers }, { t: given.t, x: given.x }) }), {
        layers,
        t: f32([4]),
        x: f32([4, ...shape]),
      });
      expect(graph.output('y').shape).to.deep.equal([4, ...shape]);
    }
  });

  it('of depth 1 is a linear map of point and time', () => {
    const parameters = mlp({ depth: 1 }).init(new HostRandomStream(3), { shape: [2] });
    const [{ weight, bias }] = parameters.layers;
    const { output } = run({ depth: 1 }, { shape: [2] }, { t: [0.25, 0.5, 1], x: threePoints }, 3);
    const row = (x: number, y: number, t: number): number[] =>
      [0, 1].map(
        (column) =>
          x * weight.data[column] + y * weight.data[2 + column] + t * weight.data[4 + column] + bias.data[column],
      );
    expectClose(output, [...row(0.1, -2, 0.25), ...row(1.5, 0.3, 0.5), ...row(0, 0, 1)], 1e-14);
  });

  it('starts uniform on ±1/√fan-in, weights and biases', () => {
    const { layers } = mlp({ width: 256, depth: 3 }).init(new HostRandomStream(1), { shape: [2] });
    for (const { weight, bias } of layers) {
      const bound = Math.fround(1 / Math.sqrt(weight.shape[0]));
      for (const { data } of [weight, bias]) {
        const values = Array.from(data);
        expect(Math.max(...values.map(Math.abs))).within(values.length > 100 ? 0.95 * bound : 0, bound);
        expect(new Set(values).size).above(0.9 * values.length);
      }
      const variance = Array.from(weight.data).reduce((sum, value) => sum + value * value, 0) / weight.data.length;
      expect(variance / (bound * bound)).within(0.3, 0.37);
    }
    expect(Array.from(layers[1].bias.data)).to.not.deep.equal(Array.from(layers[0].bias.data));
  });

  it('starts the same from the same seed and else differently', () => {
    expect(firstWeight(1)).to.deep.equal(firstWeight(1));
    expect(firstWeight(1)).to.not.deep.equal(firstWeight(2));
  });

  for (const activation of activationNames) {
    for (const timeEmbedding of timeEmbeddingNames) {
      it(`with ${activation} and ${timeEmbedding} time has finite gradients for every parameter`, () => {
        const options = { width: 6, depth: 3, activation, timeEmbedding, frequencies: 3 };
        const inputs = { t: [0, 0.3, 1], x: threePoints };
        const got = run(options, { shape: [2] }, inputs);
        const gradients = Object.entries(got).filter(([name]) => name.startsWith('gradient.'));
        expect(gradients.length).to.equal(6);
        for (const [name, values] of gradients) {
          expect(values.every(Number.isFinite), name).to.equal(true);
          expect(
            values.some((value) => value !== 0),
            name,
          ).to.equal(true);
        }
        expect(got['output'].slice(0, 2)).to.not.deep.equal(got['output'].slice(2, 4));
      });
    }
  }

  it('depends on the time', () => {
    for (const timeEmbedding of timeEmbeddingNames) {
      const x = f64Input([
        [1, 1],
        [1, 1],
        [1, 1],
      ]);
      const { output } = run({ width: 6, depth: 2, timeEmbedding }, { shape: [2] }, { t: [0, 0.5, 1], x });
      expect(new Set([output[0], output[2], output[4]]).size, timeEmbedding).to.equal(3);
    }
  });

  it('takes float conditions of any shape, in whatever order they come', () => {
    const context = { shape: [2], condition: { image: [2, 2], label: [3] } };
    const image = f64Input([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 2, 2]);
    const label = f64Input([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]);
    const at = { t: [0, 0.5, 1], x: threePoints };
    const one = run({ width: 4, depth: 2 }, context, { ...at, condition: { image, label } });
    expect(run({ width: 4, depth: 2 }, context, { ...at, condition: { label, image } })['output']).to.deep.equal(
      one['output'],
    );
    const other = run({ width: 4, depth: 2 }, context, {
      ...at,
      condition: { image, label: f64Input([0, 1, 0, 0, 1, 0, 0, 0, 1], [3, 3]) },
    });
    expect(other['output'].slice(0, 2)).to.not.deep.equal(one['output'].slice(0, 2));
    expect(other['output'].slice(2)).to.deep.equal(one['output'].slice(2));
  });

  it('refuses integer conditions, naming them', () => {
    const model = mlp({ width: 4, depth: 1 });
    const symbols = { t: f32([3]), x: f32([3, 2]), digit: i32([3]), weight: f32([4, 2]), bias: f32([2]) };
    expect(() =>
      trace(
        ({ t, x, digit, weight, bias }) => model.apply({ layers: [{ weight, bias }] }, { t, x, condition: { digit } }),
        symbols,
      ),
    ).to.throw(DTypeError, "'digit' is i32");
  });

  it('refuses options that make no sense', () => {
    expect(() => mlp({ depth: 0 })).to.throw(OptionError, 'depth');
    expect(() => mlp({ activation: 'sine' as never })).to.throw(OptionError, 'activation');
    expect(() => mlp({ hidden: 3 } as never)).to.throw(OptionError, 'hidden');
  });
});

describe('activations', () => {
  const formulas: Record<keyof typeof activations, (x: number) => number> = {
    silu: (x) => x / (1 + Math.exp(-x)),
    // Φ from tables.
    gelu: (x) => x * ({ '-1.2': 0.115069670221708, 0: 0.5, 0.5: 0.691462461274013, 3: 0.99865010196837 }[x] ?? NaN),
    relu: (x) => Math.max(0, x),
    tanh: Math.tanh,
    softplus: (x) => Math.log1p(Math.exp(x)),
    selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  };

  for (const name of activationNames) {
    it(`${name} is what its name says`, () => {
      const xs = [-1.2, 0, 0.5, 3];
      const { y } = evaluate(({ x }) => ({ y: activations[name](x) }), { x: f64Input(xs) });
      expectClose(y, xs.map(formulas[name]), 1e-14);
    });
  }

  it("selu's derivative agrees with differences", () => {
    const xs = [-3, -0.5, 0.5, 2];
    const at = (shift: number) =>
      evaluate(({ x }) => ({ y: activations.selu(x) }), { x: f64Input(xs.map((x) => x + shift)) })['y'];
    const { slope } = evaluate(
      ({ x }) => ({ slope: valueAndGrad((at: Tensor) => activations.selu(at).sum(), x).gradient }),
      { x: f64Input(xs) },
    );
    const [up, down] = [at(1e-6), at(-1e-6)];
    expectClose(
      slope,
      up.map((value, i) => (value - down[i]) / 2e-6),
      1e-9,
    );
  });
});

describe('time embeddings', () => {
  it('have as many features as they say, and tell t = 0 from t = 1', () => {
    for (const name of timeEmbeddingNames) {
      const { size, embed } = timeEmbeddings[name];
      const { features } = evaluate(({ t }) => ({ features: embed(t, 4) }), { t: f64Input([0, 1]) });
      expect(features.length, name).to.equal(2 * size(4));
      expect(features.slice(0, size(4)), name).to.not.deep.equal(features.slice(size(4)));
    }
  });

  it('sinusoidal is that of Vaswani et al. at position 1000·t', () => {
    const { features } = evaluate(({ t }) => ({ features: timeEmbeddings.sinusoidal.embed(t, 2) }), {
      t: f64Input([0.25]),
    });
    expectClose(features, [Math.cos(250), Math.cos(2.5), Math.sin(250), Math.sin(2.5)], 1e-13);
  });

  it('fourier is half waves', () => {
    const { features } = evaluate(({ t }) => ({ features: timeEmbeddings.fourier.embed(t, 2) }), {
      t: f64Input([0.25]),
    });
    expectClose(features, [Math.SQRT1_2, 0, Math.SQRT1_2, 1], 1e-15);
  });
});
