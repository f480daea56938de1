import {
  conditionalLogDensity,
  conditionalScore,
  derivedField,
  evaluatePath,
  NumericalError,
  PathError,
} from '@flow-matching/core';
import { OptionError } from '@flow-matching/tensor';
import { expect } from 'chai';
import { custom, trigonometric } from '../src/index.ts';
import { parseFormula } from '../src/paths/formula.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';
import { oracleCases, type PathCase } from './support/oracles.ts';

interface ConditionalCase extends PathCase {
  readonly t: number;
  readonly x0: number[];
  readonly x1: number[];
  readonly std: number;
  readonly xt: number[];
  readonly score: number[];
  readonly utAtOtherPoint: { readonly x: number[]; readonly u: number[] };
  readonly logProb: number;
}

const straight = { mean: 't * x1', std: '1 - t' };

type Refusal = typeof PathError | typeof NumericalError | typeof OptionError;

function refused(options: object, type: Refusal, message: RegExp): void {
  expect(() => custom({ ...straight, ...options }), JSON.stringify(options)).to.throw(type, message);
}

describe('custom path', () => {
  it('agrees with the oracles of the trigonometric path: field, score, log-density', () => {
    const path = custom({ mean: 'sin(pi*t/2) * x1', std: 'cos(pi*t/2)', interval: { end: 0.99999999 } });
    for (const c of oracleCases<ConditionalCase>('paths').filter((each) => each.path === 'custom-trigonometric')) {
      const got = evaluate(
        ({ t, x, x1, other }) => ({
          field: derivedField(path, t, other, { x1 }),
          score: conditionalScore(path, t, x, { x1 }),
          logDensity: conditionalLogDensity(path, t, x, { x1 }),
        }),
        { t: f64Input([c.t]), x: f64Input([c.xt]), x1: f64Input([c.x1]), other: f64Input([c.utAtOtherPoint.x]) },
      );
      // What is left of x − μ, and of a cosine near its zero, after the rounding of f64.
      const tolerance = 1e-15 / c.std ** 2 + 1e-14;
      expectClose(got['field'], c.utAtOtherPoint.u, tolerance, `field at t = ${c.t}`);
      expectClose(got['score'], c.score, tolerance, `score at t = ${c.t}`);
      expectClose(got['logDensity'], [c.logProb], tolerance, `log-density at t = ${c.t}`);
    }
  });

  it('takes named constants, one for each dimension where they are lists', () => {
    const path = custom({
      mean: 't * x1',
      std: '(1 - t) * s + floor_std',
      constants: { s: [0.5, 2], floor_std: 0.01 },
      priorStd: [0.51, 2.01],
    });
    const x1 = f64Input([[3, 4]]);
    const { mean, std, stdRate } = evaluatePath(path, { t: [0.25], x1 });
    expectClose(mean, [0.75, 1], 1e-15);
    expectClose(std, [0.385, 1.51], 1e-15);
    expectClose(stdRate, [-0.5, -2], 1e-15);
    const { logDensity } = evaluate(({ t, x, z }) => ({ logDensity: conditionalLogDensity(path, t, x, { x1: z }) }), {
      t: f64Input([0.25]),
      x: f64Input([[1, 1]]),
      z: x1,
    });
    expectClose(logDensity, [-0.5 * (0.25 / 0.385) ** 2 - Math.log(0.385 * 1.51) - Math.log(2 * Math.PI)], 1e-14);
  });

  it('runs between two points where its mean names x0', () => {
    const path = custom({ mean: '(1 - t)*x0 + t*x1', std: '0.1 + 0.2*t*(1-t)' });
    expect(path.sides).to.equal('two');
    const { mean } = evaluatePath(path, { t: [0.25], x1: f64Input([[4, 0]]), x0: f64Input([[0, 8]]) });
    expectClose(mean, [1, 6], 1e-15);
  });

  it('says what is wrong with its formulas, and where', () => {
    refused({ mean: '(1 - t) * x1' }, PathError, /does not arrive at the data: its mean is 0 at t = 1, x1 = 1/);
    refused({ std: 't' }, PathError, /does not concentrate on the data: its std is 1 at t = 1/);
    refused(
      { std: '2 * (1 - t)' },
      PathError,
      /does not start at its prior N\(0, 1²\): its std is 2 at t = 0.*Declare priorStd: 2/,
    );
    refused({ mean: 'x1' }, PathError, /does not start at its prior.*its mean is 1 at t = 0, x1 = 1/);
    refused({ std: '(0.5 - t) * 2' }, PathError, /has std 0 at t = 0.5/);
    refused(
      { std: 'sqrt(1 - t^2)' },
      NumericalError,
      /std's time derivative .* is -Infinity at t = 1, x1 = \[1, 1\].*cut the interval/,
    );
    refused({ mean: 't * log(x1)' }, NumericalError, /mean .* is NaN at t = 0, x1 = \[-1, -1\]/);
    refused({ interval: { start: 0.5, end: 0.4 } }, OptionError, /interval .* runs from 0.5 to 0.4/);
    refused(
      { priorStd: [1, 1, 1], std: '(1 - t) * s', constants: { s: [1, 1] } },
      PathError,
      /3 prior stds for points of \[2\]/,
    );
    refused({ mean: '(1-t)*x1 + t*x0', std: '0.1' }, PathError, /does not arrive at the data/);
    refused({ constants: { t: 3 } }, OptionError, /'t' has a meaning already/);
    refused({ dataScale: -1 }, OptionError, /dataScale/);
  });

  it('measures against the scale of the data', () => {
    const wide = { mean: 't * x1', std: '20 - 19 * t', priorStd: 20 };
    expect(() => custom(wide)).to.throw(PathError, 'does not concentrate');
    expect(custom({ ...wide, dataScale: 10 }).priorStd).to.equal(20);
  });

  it('computes the same as the hand-written path', () => {
    const written = trigonometric();
    const read = custom({ mean: 'sin(pi/2*t)*x1', std: 'sin(pi/2*(1-t))' });
    const points = {
      t: [0.1, 0.9],
      x1: f64Input([
        [1, 2],
        [3, 4],
      ]),
    };
    expect(evaluatePath(read, points)).to.deep.equal(evaluatePath(written, points));
  });
});

/** What a formula of named numbers computes. */
function compute(text: string, values: Record<string, number>): number {
  const formula = parseFormula(text, Object.keys(values), 'It');
  const { y } = evaluate(
    (inputs) => ({
      y: inputs['zero'].add(formula(Object.fromEntries(Object.keys(values).map((name) => [name, inputs[name]])))),
    }),
    {
      zero: f64Input(0),
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f64Input(value)])),
    },
  );
  return y[0];
}

function refusedText(text: string, problem: string, character: number): void {
  expect(() => parseFormula(text, ['t', 'x1'], 'It'), text)
    .to.throw(OptionError, problem)
    .with.property('message')
    .that.includes(`at character ${character}.`);
}

describe('formulas', () => {
  it('have their mathematical meaning', () => {
    const t = 0.3;
    const expected: Record<string, number> = {
      '1 - 2 - 3': -4,
      '2 * 3 + 4 * 5': 26,
      '8 / 4 / 2': 1,
      '-t^2': -(t ** 2),
      '(-t)^2': t ** 2,
      '2^3^2': 512,
      '2**-1': 0.5,
      '-2^-t': -(2 ** -t),
      't^2*3': 3 * t ** 2,
      '3*-t': -3 * t,
      '--t': t,
      '+t - -t': 2 * t,
      '1.5e-1 + .5': 0.65,
      'pi - e': Math.PI - Math.E,
      'sqrt(1 - t) * (1 + t)': Math.sqrt(1 - t) * (1 + t),
      'tan(t) + tanh(t)': Math.tan(t) + Math.tanh(t),
      'exp(log(t)) + expm1(log1p(t))': 2 * t,
      'min(t, 1) + max(t, 1) - abs(-t)': 1,
      'pow(t, 0.5) + sigmoid(0)': Math.sqrt(t) + 0.5,
      'cos(t)^2 + sin(t)^2 + erf(0)': 1,
    };
    for (const [text, value] of Object.entries(expected)) expectClose([compute(text, { t })], [value], 1e-15, text);
  });

  it('are refused at the character that cannot be read', () => {
    refusedText('', 'it is empty', 1);
    refusedText('1 -', 'after -', 4);
    refusedText('1 - sigma*t', "there is no 'sigma'", 5);
    refusedText('t x1', 'does not end here', 3);
    refusedText('t(x1)', "'t' is no function", 1);
    refusedText('1 + foo(t)', "there is no function 'foo'", 5);
    refusedText('1 + constructor(t)', "there is no function 'constructor'", 5);
    refusedText('sin(t, x1)', "'sin' has 2 arguments", 1);
    refusedText('sin', "'sin' has no argument", 1);
    refusedText('(t', 'Unclosed (', 3);
    refusedText('t^', "Nothing follows '^'", 3);
    refusedText('t.x1', 'MemberExpression', 1);
    refusedText('1 && t', "no operator '&&'", 3);
    refusedText('!t', "no operator '!'", 1);
    refusedText("'a'", 'is not a number', 1);
    refusedText('t = 1', 'Unexpected', 3);
  });

  it('refuses formulas that would exhaust the stack, naming the limit, and takes those within it', () => {
    const terms = (count: number): string => `t*x1${' + 0*t'.repeat(count)}`;
    refused({ mean: terms(6000) }, OptionError, /more than 1000 operators, at character .*at most 1000/s);
    refused({ mean: `${'('.repeat(20_000)}t*x1${')'.repeat(20_000)}` }, OptionError, /at most 100 levels/);
    refused({ mean: '['.repeat(101) }, OptionError, /at most 100 levels/);
    refused({ mean: `t${'^1'.repeat(20_000)}` }, OptionError, /at most 1000/);
    refused({ mean: 't.x'.repeat(20_000) }, OptionError, /cannot be read/);
    refused({ mean: 'x'.repeat(1_000_000) }, OptionError, /^.{0,400}$/s);
    for (const mean of [
      terms(450),
      `${'('.repeat(100)}t*x1${')'.repeat(100)}`,
      `${'-'.repeat(500)}(t*x1)`,
      `t*x1${'^1'.repeat(400)}`,
    ])
      expect(() => parseFormula(mean, ['t', 'x1'], 'it')({ t: 2, x1: 3 })).not.to.throw();
    expect(() => custom({ ...straight, mean: terms(450) })).not.to.throw();
  });
});
