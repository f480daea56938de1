import {
  checkPath,
  evaluatePath,
  gaussianPath,
  hostPathCoefficients,
  NumericalError,
  PathError,
  requireProportionalMean,
  twoSidedPath,
  type GaussianPathFormulas,
} from '@flow-matching/core';
import { constant, OptionError, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';

const straight: GaussianPathFormulas = { name: 'straight', mean: (t, x1) => x1.mul(t), std: (t) => t.neg().add(1) };
const rows = (values: readonly (readonly number[])[]): HostArray => ({
  data: Float64Array.from(values.flat()),
  shape: [values.length, values[0].length],
  dtype: 'f32',
});

describe('evaluatePath', () => {
  it('gives mean, std and their time derivatives in f64', () => {
    const path = gaussianPath({ ...straight, mean: (t, x1) => x1.mul(t.square()) });
    const values = evaluatePath(path, { t: [0.5, 0.25], x1: rows([[4], [-8]]) });
    expect(
      Object.fromEntries(Object.entries(values).map(([name, array]) => [name, Array.from(array as Float64Array)])),
    ).to.deep.equal({
      mean: [1, -0.5],
      std: [0.5, 0.75],
      meanRate: [4, -4],
      stdRate: [-1, -1],
    });
  });

  it('refuses times outside the interval, naming both', () => {
    const path = gaussianPath({ ...straight, interval: { start: 0, end: 0.99 } });
    for (const t of [-0.1, 1, NaN]) {
      expect(() => evaluatePath(path, { t: [0.5, t], x1: rows([[1], [1]]) })).to.throw(
        OptionError,
        `t = ${t} is outside the interval of the path 'straight'. Expected 0 ≤ t ≤ 0.99`,
      );
    }
  });

  it('names time and point of a value that is not finite', () => {
    const path = gaussianPath({ ...straight, check: false, mean: (t, x1) => x1.log().mul(t) });
    expect(() =>
      evaluatePath(path, {
        t: [0.5, 0.75],
        x1: rows([
          [1, 2],
          [3, -4],
        ]),
      }),
    ).to.throw(NumericalError, /mean of the path 'straight' is NaN at t = 0.75, x1 = \[3, -4\]/);
  });

  it('refuses rows that do not fit', () => {
    expect(() => evaluatePath(gaussianPath(straight), { t: [0.5], x1: rows([[1], [2]]) })).to.throw(
      PathError,
      'do not fit one another',
    );
  });
});

describe('checkPath', () => {
  it('is made of every path at its definition, unless that is turned off', () => {
    expect(() => gaussianPath({ ...straight, mean: (_, x1) => x1 })).to.throw(
      PathError,
      /'straight' does not start at its prior/,
    );
    expect(gaussianPath({ ...straight, mean: (_, x1) => x1, check: false }).name).to.equal('straight');
    expect(() =>
      twoSidedPath({ mean: (t, x0, x1) => x0.mul(t).add(x1.mul(t)), std: (t) => t.mul(0).add(0.1) }),
    ).to.throw(PathError, /'custom' does not arrive at the data/);
    expect(() => twoSidedPath({ mean: (t, _, x1) => x1.mul(t), std: (t) => t.mul(0).add(0.1) })).to.throw(
      PathError,
      /does not start at its source x0 = -1: its mean is 0 at t = 0/,
    );
    expect(() =>
      twoSidedPath({ mean: (t, x0, x1) => x0.sub(x0.mul(t)).add(x1.mul(t)), std: (t) => t.neg().add(1) }),
    ).to.throw(PathError, /does not start at its source: its std is 1/);
  });

  it('accepts lines between pairs without noise, but not noise that vanishes halfway', () => {
    const line = { mean: (t, x0, x1) => x0.sub(x0.mul(t)).add(x1.mul(t)) } as const satisfies Partial<
      Parameters<typeof twoSidedPath>[0]
    >;
    expect(twoSidedPath({ ...line, std: (t) => t.mul(0) }).sides).to.equal('two');
    expect(() => twoSidedPath({ ...line, std: (t) => t.mul(-0.2).add(0.1) })).to.throw(
      PathError,
      /has std 0 at t = 0.5/,
    );
  });

  it('takes a wide prior, and a std for each dimension', () => {
    checkPath(
      gaussianPath({
        mean: (_, x1) => x1,
        std: (t) => t.neg().add(1).mul(Math.log(5000)).exp().mul(0.01),
        priorStd: 50,
      }),
    );
    const perDimension = gaussianPath({
      ...straight,
      std: (t) =>
        t
          .neg()
          .add(1)
          .mul(constant([[1, 2, 3]])),
      priorStd: [1, 2, 3],
    });
    expect(hostPathCoefficients(perDimension, [0.5], [3]).std).to.deep.equal(Float64Array.of(0.5, 1, 1.5));
    expect(() =>
      gaussianPath({
        ...straight,
        std: (t) =>
          t
            .neg()
            .add(1)
            .mul(constant([[1, 2, 3]])),
      }),
    ).to.throw(PathError, 'its std is 2 at t = 0');
  });

  it('refuses an interval outside [0, 1]', () => {
    for (const interval of [
      { start: -0.1, end: 1 },
      { start: 0, end: 1.1 },
      { start: 0.5, end: 0.5 },
      { start: NaN, end: 1 },
    ]) {
      expect(() => gaussianPath({ ...straight, interval })).to.throw(OptionError, 'interval');
    }
  });
});

describe('requireProportionalMean', () => {
  it('distinguishes scale(t)·x1 from other means, also with one scale per dimension', () => {
    requireProportionalMean(gaussianPath(straight), 'owner', [2, 3]);
    const perDimension = gaussianPath({
      ...straight,
      mean: (t, x1) => x1.mul(t.add(t.mul(t.neg().add(1)).mul(constant([[0, 0.5]])))),
    });
    requireProportionalMean(perDimension, 'owner', [2]);
    const shifted = gaussianPath({ ...straight, mean: (t, x1) => x1.mul(t).add(t.mul(t.neg().add(1))) });
    expect(() => requireProportionalMean(shifted, "objective 'x'", [2])).to.throw(
      PathError,
      /objective 'x' cannot be used with the path 'straight', whose mean is not proportional/,
    );
  });
});
