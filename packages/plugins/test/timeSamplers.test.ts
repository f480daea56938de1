import { PathError, type Path, type TimeSampler } from '@flow-matching/core';
import { erf, OptionError } from '@flow-matching/tensor';
import { expect } from 'chai';
import {
  importance,
  logitNormal,
  optimalTransport,
  polynomial,
  schrodingerBridge,
  uniform,
  varianceExploding,
  variancePreserving,
} from '../src/index.ts';
import { normalQuantile } from '../src/timeSamplers/normalQuantile.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

/** Times and weights at the midpoints of `count` equal parts of [0, 1): sums over them are the sampler's expectations. */
function stratified(sampler: TimeSampler, path: Path, count: number): { t: number[]; weight: number[] } {
  const { t, weight } = evaluate(
    ({ u }) => {
      const drawn = sampler.sample(u, path);
      return { t: drawn.t, weight: drawn.weight ?? u.mul(0).add(1) };
    },
    { u: f64Input(Array.from({ length: count }, (_, i) => (i + 0.5) / count)) },
  );
  return { t, weight };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('time samplers', () => {
  it('uniform: returns the uniforms unchanged', () => {
    const { t } = stratified(uniform(), optimalTransport(), 4);
    expect(t).to.deep.equal([0.125, 0.375, 0.625, 0.875]);
  });

  it('logit-normal: the logit has the mean and scale asked for, and no time leaves [0, 1]', () => {
    const { t } = stratified(logitNormal({ mean: -0.5, scale: 0.8 }), optimalTransport(), 20000);
    const logits = t.map((value) => Math.log(value / (1 - value)));
    expectClose([mean(logits)], [-0.5], 1e-12);
    // The midpoint rule loses a little of the tails.
    expectClose([mean(logits.map((value) => (value + 0.5) ** 2))], [0.64], 2e-4);
    const ends = evaluate(({ u }) => ({ t: logitNormal({ mean: 3, scale: 5 }).sample(u, optimalTransport()).t }), {
      u: f64Input([0, 1 - 2 ** -24]),
    });
    expect(ends['t'][0]).within(0, 1e-3);
    expect(ends['t'][1]).within(0.999, 1);
  });

  it('logit-normal: refuses a scale that is not positive', () => {
    expect(() => logitNormal({ scale: 0 })).to.throw(OptionError, 'scale');
  });

  for (const path of [variancePreserving(), optimalTransport(), varianceExploding(), polynomial({ degree: 3 })]) {
    it(`importance: leaves every expectation as it is on ${path.name}`, () => {
      // 16 midpoints a cell: the midpoint rule is exact for a straight line, and nearly so for the others.
      const { t, weight } = stratified(importance(), path, 16 * 1024);
      expectClose([mean(weight)], [1], 1e-13, 'weights');
      expectClose([mean(t.map((value, i) => weight[i] * value))], [0.5], 1e-13, 'first moment');
      expectClose([mean(t.map((value, i) => weight[i] * Math.exp(value)))], [Math.E - 1], 1e-6, 'E exp(t)');
      expect(Math.min(...t)).at.least(0);
      expect(Math.max(...t)).at.most(1);
      expect(Math.max(...weight)).at.most(10.001);
    });
  }

  it("importance: takes the variance out of ScoreFlow's weight", () => {
    const path = variancePreserving();
    const { interval } = path;
    /** g²/σ² = β/(1 − α²), on the variance-preserving path. */
    const rate = (share: number): number => {
      const s = 1 - interval.start - share * (interval.end - interval.start);
      return (0.1 + 19.9 * s) / -Math.expm1(-(0.1 * s + 9.95 * s * s));
    };
    const relativeSpread = (sampler: TimeSampler): number => {
      const { t, weight } = stratified(sampler, path, 1 << 16);
      const values = t.map((value, i) => rate(value) * weight[i]);
      return Math.sqrt(mean(values.map((value) => value ** 2)) / mean(values) ** 2 - 1);
    };
    expect(relativeSpread(uniform())).above(5);
    expect(relativeSpread(importance())).below(0.25);
  });

  it('importance: refuses two-sided paths, by name', () => {
    expect(() => stratified(importance(), schrodingerBridge(), 4)).to.throw(
      PathError,
      /time sampler 'importance'.*schrodinger-bridge/,
    );
    expect(() => importance({ uniformShare: 0 })).to.throw(OptionError, 'uniformShare');
  });
});

describe('normalQuantile', () => {
  it('has the published values', () => {
    const { z } = evaluate(({ u }) => ({ z: normalQuantile(u) }), {
      u: f64Input([0.5, 0.75, 0.9, 0.975, 0.99, 0.001, 1e-6]),
    });
    // NIST's table of the normal quantile, continued to double precision.
    expectClose(
      z,
      [
        0, 0.6744897501960817, 1.2815515655446004, 1.959963984540054, 2.3263478740408408, -3.090232306167813,
        -4.753424308822899,
      ],
      2e-15,
    );
  });

  it('is the inverse of the distribution function', () => {
    const u = [2 ** -24, 1e-4, 0.02, 0.0749, 0.0751, 0.3, 0.5, 0.9249, 0.9251, 1 - 2 ** -24];
    const { back } = evaluate(({ x }) => ({ back: erf(normalQuantile(x).mul(Math.SQRT1_2)).add(1).mul(0.5) }), {
      x: f64Input(u),
    });
    expectClose(back, u, 1e-15);
  });

  it('is finite and odd up to the ends', () => {
    const { z } = evaluate(({ u }) => ({ z: normalQuantile(u) }), { u: f64Input([0, 1, 2 ** -25]) });
    expect(z[0]).to.equal(-z[1]);
    expect(z[0]).to.equal(z[2]);
    expect(z[1]).within(5.3, 5.5);
  });
});
