import {
  conditionalField,
  conditionalFlow,
  conditionalLogDensity,
  conditionalScore,
  derivedField,
  f32,
  OptionError,
  trace,
  type Tensor,
} from '@flow-matching/core';
import { expect } from 'chai';
import { optimalTransport } from '../src/index.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';
import { oracleCases, pathOf, type PathCase } from './support/oracles.ts';

interface ConditionalCase extends PathCase {
  readonly t: number;
  readonly x0: number[];
  readonly x1: number[];
  readonly meanScale: number;
  readonly std: number;
  readonly xt: number[];
  readonly ut: number[];
  readonly utAtOtherPoint: { readonly x: number[]; readonly u: number[] };
  readonly score: number[];
  readonly logProb: number;
}

/** A formula of one number with every operation rounded to f32, as backends do it. */
function inSinglePrecision(formula: (t: Tensor) => Tensor, at: number): number {
  const graph = trace(({ t }) => ({ result: formula(t) }), { t: f32([]) });
  const operations: Record<string, (a: number, b: number) => number> = {
    Neg: (a) => -a,
    Add: (a, b) => a + b,
    Sub: (a, b) => a - b,
    Mul: (a, b) => a * b,
  };
  const values = new Map<Tensor, number>([[graph.input('t'), Math.fround(at)]]);
  for (const { operator, inputs, attributes, outputs } of graph.nodes) {
    if (values.has(outputs[0])) continue;
    const [a, b] = inputs.map((tensor) => values.get(tensor)!);
    const value =
      operator.name === 'Constant' ? (attributes['data'] as Float64Array)[0] : operations[operator.name](a, b);
    values.set(outputs[0], Math.fround(value));
  }
  return values.get(graph.output('result'))!;
}

const cases = oracleCases<ConditionalCase>('paths').filter(({ path }) => path === 'optimal-transport');

describe('optimal-transport', () => {
  cases.forEach((oracle, i) => {
    it(`agrees with oracle ${i}: σmin ${oracle.options['sigmaMin']}, t = ${oracle.t}`, () => {
      const path = pathOf(oracle);
      const got = evaluate(
        ({ t, x0, x1, other }) => {
          const { x, velocity } = conditionalFlow(path, t, { x1 }, x0);
          return {
            mean: path.mean(t.reshape([1, 1]), { x1 }),
            std: path.std(t),
            x,
            velocity,
            field: conditionalField(path, t, other, { x1 }),
            derived: derivedField(path, t, other, { x1 }),
            score: conditionalScore(path, t, x, { x1 }),
            logDensity: conditionalLogDensity(path, t, x, { x1 }),
          };
        },
        {
          t: f64Input([oracle.t]),
          x0: f64Input([oracle.x0]),
          x1: f64Input([oracle.x1]),
          other: f64Input([oracle.utAtOtherPoint.x]),
        },
      );
      // Where x − μ is small beside x its rounding is what the division by σ shows.
      const cancelled = 1e-14 / oracle.std;
      expectClose(
        got['mean'],
        oracle.x1.map((value) => value * oracle.meanScale),
        1e-15,
        'mean',
      );
      expectClose([got['std'][0] / oracle.std], [1], 1e-11, 'std ÷ expected');
      expectClose(got['x'], oracle.xt, 1e-14, 'ψ_t');
      expectClose(got['velocity'], oracle.ut, 1e-14, 'velocity');
      expectClose(got['field'], oracle.utAtOtherPoint.u, cancelled, 'field');
      expectClose(got['derived'], oracle.utAtOtherPoint.u, cancelled, 'derived field');
      expectClose(got['score'], oracle.score, cancelled, 'score');
      expectClose(got['logDensity'], [oracle.logProb], cancelled, 'log-density');
    });
  });

  it('keeps the digits of a small std in f32', () => {
    const t = 1 - 2 ** -24;
    const exact = 1 - (1 - 1e-5) * t;
    expectClose([inSinglePrecision((time) => optimalTransport().std(time), t) / exact], [1], 1e-6, 'std ÷ expected');
    const textbook = inSinglePrecision(
      (time) =>
        time
          .mul(1 - 1e-5)
          .neg()
          .add(1),
      t,
    );
    expect(Math.abs(textbook / exact - 1), 'what the rounding of (1 − σmin)·t costs').above(1e-4);
  });

  it('stops short of the data where its std vanishes there', () => {
    expect(optimalTransport().interval).to.deep.equal({ start: 0, end: 1 });
    const path = optimalTransport({ sigmaMin: 0 });
    expect(Math.fround(path.interval.end)).below(1);
    const { field } = evaluate(({ t, x, x1 }) => ({ field: conditionalField(path, t, x, { x1 }) }), {
      t: f64Input([path.interval.end]),
      x: f64Input([[1]]),
      x1: f64Input([[1]]),
    });
    expect(field.every(Number.isFinite)).to.equal(true);
  });

  it('refuses a σmin outside [0, 1)', () => {
    for (const sigmaMin of [-1e-9, 1, NaN])
      expect(() => optimalTransport({ sigmaMin })).to.throw(OptionError, 'sigmaMin');
  });
});
