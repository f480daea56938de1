import { createContainer, FILES, PluginRegistry, type Dataset } from '@flow-matching/core';
import { DataError, OptionError, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import {
  builtinPlugins,
  circles,
  eightGaussians,
  gaussian,
  gaussianMixture,
  gaussianMixtureData,
  mixtureDensity,
  moons,
  optimalTransport,
  pair,
  pinwheel,
  points,
  sCurve,
  scaledBesselI0,
  spirals,
  swissRoll,
} from '../src/index.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

const sets: readonly [name: string, make: (options?: { labels?: boolean }) => Dataset, parts: number | undefined][] = [
  ['8gaussians', eightGaussians, 8],
  ['moons', moons, 2],
  ['spirals', spirals, 2],
  ['circles', circles, 2],
  ['pinwheel', pinwheel, 5],
  ['s-curve', () => sCurve(), undefined],
  ['swiss-roll', () => swissRoll(), undefined],
  ['gaussian', () => gaussian(), undefined],
  [
    'gaussian-mixture',
    (options) =>
      gaussianMixtureData({
        means: [
          [0, 0],
          [4, 1],
        ],
        weights: [1, 3],
        stds: [1, 0.5],
        ...options,
      }),
    2,
  ],
];

const draw = async (data: Dataset, size: number, seed = 0, index = 0, split?: 'test'): Promise<HostArray> =>
  (await data.batch({ index, size, seed, ...(split && { split }) })).x1;
const column = ({ data }: HostArray, axis: number): number[] => Array.from(data).filter((_, i) => i % 2 === axis);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('data sets of the plane', () => {
  for (const [name, make, parts] of sets) {
    it(`${name} is a pure function of seed, index, size and split`, async () => {
      const data = make();
      const first = await draw(data, 50, 1, 2);
      expect(first.shape).to.deep.equal([50, 2]);
      expect(first.data.every(Number.isFinite)).to.equal(true);
      expect(await draw(make(), 50, 1, 2)).to.deep.equal(first);
      for (const other of [
        await draw(data, 50, 2, 2),
        await draw(data, 50, 1, 3),
        await draw(data, 50, 1, 2, 'test'),
      ]) {
        expect(Array.from(other.data)).not.to.deep.equal(Array.from(first.data));
      }
      expect((await data.batch({ index: 0, size: 5, seed: 0 })).condition).to.equal(undefined);
    });

    if (parts !== undefined) {
      it(`${name} labels its ${parts} parts, which changes no point`, async () => {
        const { x1, condition } = await make({ labels: true }).batch({ index: 0, size: 400, seed: 3 });
        expect(x1).to.deep.equal(await draw(make(), 400, 3));
        const { data, shape } = condition!['label'];
        expect(shape).to.deep.equal([400, parts]);
        for (let i = 0; i < 400; i++) {
          expect(Array.from(data.subarray(i * parts, (i + 1) * parts)).toSorted((a, b) => b - a)).to.deep.equal([
            1,
            ...Array.from({ length: parts - 1 }, () => 0),
          ]);
        }
        const counts = Array.from(
          { length: parts },
          (_, k) => data.filter((value, i) => i % parts === k && value === 1).length,
        );
        expect(Math.min(...counts)).above(20);
      });
    }
  }

  it('8gaussians have radius 5 and covariance √0.1', async () => {
    const count = 40_000;
    const { x1, condition } = await eightGaussians({ labels: true }).batch({ index: 0, size: count, seed: 0 });
    const label = condition!['label'].data;
    for (let k = 0; k < 8; k++) {
      const rows = Array.from({ length: count }, (_, i) => i).filter((i) => label[8 * i + k] === 1);
      expect(rows.length, 'points').within(count / 8 - 330, count / 8 + 330);
      for (const [axis, centre] of [5 * Math.cos((k * Math.PI) / 4), 5 * Math.sin((k * Math.PI) / 4)].entries()) {
        const values = rows.map((i) => x1.data[2 * i + axis]);
        const mean = meanOf(values);
        expect(mean).closeTo(centre, (5 * 0.562) / Math.sqrt(rows.length));
        // The relative error of a variance is √(2/n).
        expect(meanOf(values.map((value) => (value - mean) ** 2))).closeTo(
          Math.sqrt(0.1),
          5 * Math.sqrt(0.1) * Math.sqrt(2 / rows.length),
        );
      }
    }
  });

  it('moons are 3x − 1 of half circles shifted along the diagonal by up to 0.2', async () => {
    const { x1, condition } = await moons({ labels: true }).batch({ index: 0, size: 5000, seed: 1 });
    const shifts: number[] = [];
    for (let i = 0; i < 5000; i++) {
      const upper = condition!['label'].data[2 * i] === 1;
      const [x, y] = [0, 1].map((axis) => (x1.data[2 * i + axis] + 1) / 3);
      // The point less its shift s lies on its circle: a quadratic in s, of which one root is in [0, 0.2].
      const [a, b] = upper ? [x, y] : [x - 1, y - 0.5];
      const root = Math.sqrt(Math.max(0, (a + b) ** 2 - 2 * (a * a + b * b - 1)));
      const candidates = [(a + b - root) / 2, (a + b + root) / 2].filter(
        (s) => s > -1e-5 && s < 0.2 + 1e-5 && (upper ? b - s : s - b) > -1e-3,
      );
      expect(candidates.length, `point ${i}`).above(0);
      shifts.push(candidates[0]);
    }
    expect(meanOf(shifts)).closeTo(0.1, 0.01);
    const gaussianNoise = moons({ noise: 0, noiseKind: 'gaussian', scale: 1, shift: 0 });
    const clean = await draw(gaussianNoise, 1000, 2);
    column(clean, 0).forEach((x, i) => {
      const y = column(clean, 1)[i];
      expect(Math.min(Math.abs(Math.hypot(x, y) - 1), Math.abs(Math.hypot(x - 1, y - 0.5) - 1))).below(1e-6);
    });
  });

  it('moons are shifted by a number of each coordinate, or one of both', async () => {
    const batch = async (shift: number | [number, number]): Promise<Float32Array> =>
      (await moons({ scale: 2, shift }).batch({ index: 0, size: 50, seed: 1 })).x1.data as Float32Array;
    const [plain, both, apart] = [await batch(0), await batch(3), await batch([-1, 0.5])];
    plain.forEach((value, i) => {
      expect(both[i]).to.be.closeTo(value + 3, 1e-5);
      expect(apart[i]).to.be.closeTo(value + (i % 2 === 0 ? -1 : 0.5), 1e-5);
    });
    expect(() => moons({ shift: [1] as never })).to.throw(OptionError, 'shift');
  });

  it('curves without noise are their curves', async () => {
    const clean = { noise: 0, scale: 1 };
    const s = await draw(sCurve(clean), 500);
    for (let i = 0; i < 500; i++) {
      const [x, z] = [s.data[2 * i], s.data[2 * i + 1]];
      expect(Math.abs(Math.hypot(x, Math.abs(z) - 1) - 1)).below(1e-6);
    }
    for (const [data, spread] of [
      [swissRoll(clean), [1.5 * Math.PI, 4.5 * Math.PI]],
      [spirals(clean), [0, 3 * Math.PI]],
    ] as const) {
      const x = await draw(data, 500);
      const radii = Array.from({ length: 500 }, (_, i) => Math.hypot(x.data[2 * i], x.data[2 * i + 1]));
      for (const radius of radii) expect(radius).within(spread[0] - 1e-5, spread[1] + 1e-5);
      for (let i = 0; i < 500; i++) {
        // Both curves wind once every 2π of radius; the two spirals are half a turn apart.
        const turn =
          (Math.atan2(x.data[2 * i + 1], x.data[2 * i]) - (data.name === 'spirals' ? -radii[i] : radii[i])) / Math.PI;
        expect(Math.abs(turn - Math.round(turn)), `${data.name} ${i}`).below(1e-5);
      }
    }
    const rings = await draw(circles({ ...clean, factor: 0.3 }), 500);
    const radii = new Set(
      Array.from({ length: 500 }, (_, i) => Math.hypot(rings.data[2 * i], rings.data[2 * i + 1]).toFixed(5)),
    );
    expect([...radii].toSorted()).to.deep.equal(['0.30000', '1.00000']);
    const wheel = await draw(pinwheel({ radialStd: 0, tangentialStd: 0, scale: 1, arms: 3 }), 300);
    expect(
      new Set(
        Array.from({ length: 300 }, (_, i) => `${wheel.data[2 * i].toFixed(4)} ${wheel.data[2 * i + 1].toFixed(4)}`),
      ).size,
    ).to.equal(3);
  });

  it('known densities integrate to 1 and have the samples’ cross entropy', async () => {
    const known = [
      eightGaussians(),
      circles(),
      gaussian({ mean: [1, -1], std: 0.7 }),
      gaussianMixtureData({
        means: [
          [0, 0],
          [4, 1],
        ],
        weights: [1, 3],
        stds: 0.8,
      }),
    ];
    for (const data of known) {
      const { name, density } = data;
      const [cells, half] = [400, 9];
      const grid = Float32Array.from({ length: 2 * cells * cells }, (_, i) => {
        const cell = i % 2 === 0 ? Math.floor(i / 2) % cells : Math.floor(i / 2 / cells);
        return ((2 * cell + 1) / cells - 1) * half;
      });
      const onGrid = density!.logDensity({ data: grid, shape: [cells * cells, 2], dtype: 'f32' });
      const area = ((2 * half) / cells) ** 2;
      const total = onGrid.reduce((sum, value) => sum + Math.exp(value), 0) * area;
      expect(total, name).closeTo(1, 1e-6);
      const entropy = -onGrid.reduce((sum, value) => sum + Math.exp(value) * value, 0) * area;
      const own = density!.logDensity(await draw(data, 20_000, 1));
      const mean = -own.reduce((sum, value) => sum + value, 0) / own.length;
      const error = Math.sqrt(own.reduce((sum, value) => sum + (value + mean) ** 2, 0)) / own.length;
      expect(Math.abs(mean - entropy), name).below(4.5 * error);
      if (density!.entropy !== undefined) expect(density!.entropy, name).closeTo(entropy, 1e-6);
    }
    expect(gaussian().density!.entropy).closeTo(1 + Math.log(2 * Math.PI), 1e-14);
  });

  it('knows the density of very many parts, and that there is none far from all', () => {
    const count = 200_000;
    const same = {
      weights: Array<number>(count).fill(1),
      means: Array.from({ length: count }, () => [0]),
      stds: Array<number>(count).fill(1),
    };
    const density = mixtureDensity(same);
    const [at, away] = density.logDensity({ data: Float64Array.of(0, 1e200), shape: [2, 1], dtype: 'f64' });
    expect(at).to.be.closeTo(-0.5 * Math.log(2 * Math.PI), 1e-9);
    expect(away).to.equal(-Infinity);
  });

  it('a mixture on the host is the symbolic one at t = 1', () => {
    const mixture = {
      weights: [1, 2, 0.5],
      means: [
        [0, 0],
        [3, 1],
        [-2, 2],
      ],
      stds: [0.5, 1, 0.3],
    };
    const rows = [
      [0, 0],
      [1, 1],
      [3.2, 0.5],
      [-2, 2.1],
      [40, -30],
    ];
    const symbolic = evaluate(
      ({ x }) => {
        const t = x.slice(1, 0, 1).reshape([5]).mul(0).add(1);
        return { value: gaussianMixture(mixture).logDensity({ ...optimalTransport(), std: (s) => s.mul(0) }, t, x) };
      },
      { x: f64Input(rows) },
    );
    const host = mixtureDensity(mixture).logDensity({
      data: Float64Array.from(rows.flat()),
      shape: [5, 2],
      dtype: 'f64',
    });
    expectClose(host, symbolic['value'], 1e-12);
  });

  it('the scaled Bessel function is its integral, on both sides of where its series change', () => {
    // exp(−x)·I₀(x) = ∫ exp(x(cos φ − 1)) dφ/2π; the rectangle rule is exact to rounding for periodic functions.
    const integral = (x: number): number =>
      meanOf(Array.from({ length: 400 }, (_, i) => Math.exp(x * (Math.cos((2 * Math.PI * i) / 400) - 1))));
    const places = [0, 0.1, 1, 5, 29.9, 30.1, 100, 1000];
    expectClose(places.map(scaledBesselI0), places.map(integral), 1e-13);
  });

  it('options out of range are refused', () => {
    expect(() => gaussian({ mean: [1, 2, 3] })).to.throw(OptionError, 'mean of 3 numbers');
    expect(() => gaussianMixtureData({ means: [[0], [1]], stds: [1] })).to.throw(OptionError, 'stds');
    expect(() => gaussianMixtureData({ means: [[0], [1]], weights: [1, -1] })).to.throw(OptionError, 'weights');
    expect(() => circles({ factor: 1 })).to.throw(OptionError, 'factor');
    expect(() => moons({ noise: -1 })).to.throw(OptionError, 'noise');
  });
});

describe('pair', () => {
  it('gives source and target points, drawn independently even where they are alike', async () => {
    const data = pair({ source: eightGaussians(), target: moons({ labels: true }) }) as Dataset;
    const { x0, x1, condition } = await data.batch({ index: 1, size: 100, seed: 2 });
    const target = await moons({ labels: true }).batch({ index: 1, size: 100, seed: 2 });
    expect({ x1, condition }).to.deep.equal(target);
    expect(x0!.shape).to.deep.equal([100, 2]);
    expect(
      eightGaussians()
        .density!.logDensity(x0!)
        .every((value) => value > -20),
    ).to.equal(true);
    const twins = pair({ source: gaussian(), target: gaussian() }) as Dataset;
    const alike = await twins.batch({ index: 0, size: 4000, seed: 0 });
    const correlation = meanOf(Array.from(alike.x0!.data, (value, i) => value * alike.x1.data[i]));
    expect(Math.abs(correlation)).below(5 / Math.sqrt(8000));
    expect(twins.density!.entropy).to.equal(gaussian().density!.entropy);
  });

  it('is built from names, and waits for files', async () => {
    const container = createContainer(builtinPlugins);
    container.bind(FILES).toConstantValue({ read: async () => new TextEncoder().encode('1,2\n3,4\n') });
    const registry = new PluginRegistry(container);
    const spec = { name: 'pair', source: { name: 'gaussian' }, target: { name: 'points', file: 'target.csv' } };
    const data = await registry.build('dataset', spec);
    expect(data.size).to.equal(2);
    const { x0, x1 } = await data.batch({ index: 0, size: 2, seed: 0 });
    expect([...x1.data].toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4]);
    expect(x0!.shape).to.deep.equal([2, 2]);
  });

  it('refuses points of different shapes and parts that are no data sets', () => {
    expect(() => pair({ source: gaussian({ dimension: 3 }), target: moons() })).to.throw(DataError, '[3]');
    expect(() => pair({ source: moons(), target: 3 as never })).to.throw(OptionError, 'target');
    expect(() => pair({ target: points({ data: [[1]] }) } as never)).to.throw(OptionError, 'source');
  });

  it('holds out as many points as both sides do', async () => {
    const own = (count: number) =>
      points({ data: Array.from({ length: count }, (_, i) => [i, i]), heldOut: 0.5 }) as Dataset;
    expect((pair({ source: own(10), target: own(30) }) as Dataset).testSize).to.equal(5);
    expect((pair({ source: moons(), target: own(30) }) as Dataset).testSize).to.equal(15);
    expect(pair({ source: moons(), target: moons() })).not.to.have.property('testSize');
  });
});
