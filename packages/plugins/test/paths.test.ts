import {
  checkPath,
  conditionalField,
  conditionalFlow,
  evaluatePath,
  PathError,
  type Path,
  type Plugin,
} from '@flow-matching/core';
import { f32, OptionError, trace, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import { builtinPlugins, optimalTransport, polynomial, varianceExploding, variancePreserving } from '../src/index.ts';
import { evaluate, f64Input } from './support/evaluate.ts';
import { expectClose } from './support/expectClose.ts';

/** A formula of one number with every operation rounded to f32, as backends do it. */
function inSinglePrecision(formula: (t: Tensor) => Tensor, at: number): number {
  const graph = trace(({ t }) => ({ result: formula(t) }), { t: f32([]) });
  const operations: Record<string, (a: number, b: number) => number> = {
    Neg: (a) => -a,
    Add: (a, b) => a + b,
    Sub: (a, b) => a - b,
    Mul: (a, b) => a * b,
    Exp: (a) => Math.exp(a),
    Expm1: (a) => Math.expm1(a),
    Sqrt: (a) => Math.sqrt(a),
    Sin: (a) => Math.sin(a),
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

const needed: Readonly<Record<string, object>> = { custom: { mean: 't * x1', std: '1 - t' } };
const pathPlugins = builtinPlugins.filter((plugin): plugin is Plugin<'path'> => plugin.kind === 'path');

describe('paths', () => {
  for (const plugin of pathPlugins) {
    const path: Path = plugin(needed[plugin.pluginName]);

    it(`${path.name} is what its contract says: finite, from its prior or source to the data`, () => {
      checkPath(path);
    });

    it(`${path.name} moves points of any rank`, () => {
      const t = [path.interval.start, 0.5, path.interval.end];
      const shape = [3, 2, 2, 1];
      const ramp = f64Input(Array.from({ length: 12 }, (_, i) => i / 6 - 1));
      const given = { ...ramp, shape };
      const { x, velocity } = evaluate(
        (inputs) => conditionalFlow(path, inputs['t'], { x1: inputs['x1'], x0: inputs['x0'] }, inputs['noise']),
        { t: f64Input(t), x1: given, x0: given, noise: given },
      );
      const moments = evaluatePath(path, { t, x1: given, ...(path.sides === 'two' && { x0: given }) });
      expectClose(
        x,
        Array.from(ramp.data, (value, i) => moments.mean[i] + moments.std[i] * value),
        1e-15,
      );
      expectClose(
        velocity,
        Array.from(ramp.data, (value, i) => moments.meanRate[i] + moments.stdRate[i] * value),
        1e-15,
      );
    });
  }

  it('between points name the missing one', () => {
    for (const plugin of pathPlugins) {
      const path: Path = plugin(needed[plugin.pluginName]);
      if (path.sides === 'one') continue;
      const x1 = f64Input([[1, 2]]);
      expect(() => evaluatePath(path, { t: [0.5], x1 })).to.throw(PathError, path.name);
      expect(() => evaluate(({ t, x }) => ({ x: path.mean(t, { x1: x }) }), { t: f64Input([[0.5]]), x: x1 })).to.throw(
        PathError,
        'only one is given',
      );
    }
  });

  it('keep the digits of a small std in f32', () => {
    const t = 1 - 2 ** -17;
    const exact: Record<string, number> = {
      'optimal-transport': 1 - (1 - 1e-5) * t,
      'variance-preserving': Math.sqrt(-Math.expm1(-(0.1 * 2 ** -17 + 9.95 * 2 ** -34))),
      trigonometric: Math.sin((Math.PI / 2) * 2 ** -17),
      'linear-vp': Math.sqrt(2 ** -17 * (2 - 2 ** -17)),
      polynomial: 2 ** -17 * (2 - 2 ** -17),
    };
    for (const plugin of pathPlugins) {
      const expected = exact[plugin.pluginName];
      if (expected === undefined) continue;
      expectClose(
        [inSinglePrecision((time) => plugin().std(time), t) / expected],
        [1],
        2e-6,
        `${plugin.pluginName}: std ÷ expected`,
      );
    }
    const textbook = inSinglePrecision(
      (time) =>
        time
          .mul(1 - 1e-5)
          .neg()
          .add(1),
      1 - 2 ** -24,
    );
    expect(Math.abs(textbook / (1 - (1 - 1e-5) * (1 - 2 ** -24)) - 1), 'what the rounding of (1 − σmin)·t costs').above(
      1e-4,
    );
  });

  it('refuse options out of range', () => {
    for (const sigmaMin of [-1e-9, 1, NaN])
      expect(() => optimalTransport({ sigmaMin })).to.throw(OptionError, 'sigmaMin');
    expect(() => variancePreserving({ betaMin: 2, betaMax: 1 })).to.throw(
      OptionError,
      /betaMax.*must not be below betaMin/,
    );
    expect(() => varianceExploding({ sigmaMin: 2, sigmaMax: 1 })).to.throw(
      OptionError,
      /sigmaMax.*must be above sigmaMin/,
    );
    expect(() => varianceExploding({ sigmaMin: 0 })).to.throw(OptionError, 'sigmaMin');
    for (const degree of [0, 1.5, 17]) expect(() => polynomial({ degree })).to.throw(OptionError, 'degree');
  });

  it('have the prior and the interval of their formulas', () => {
    expect(variancePreserving().interval.end).to.equal(1 - 1e-5);
    expectClose([variancePreserving().priorStd as number], [Math.sqrt(1 - 0.0065715865 ** 2)], 1e-10);
    expect(varianceExploding({ sigmaMax: 80 }).priorStd).to.equal(80);
    expect(optimalTransport().interval).to.deep.equal({ start: 0, end: 1 });
    const pointed = optimalTransport({ sigmaMin: 0 });
    expect(Math.fround(pointed.interval.end)).below(1);
    for (const path of [pointed, polynomial()]) {
      const { field } = evaluate(({ t, x, x1 }) => ({ field: conditionalField(path, t, x, { x1 }) }), {
        t: f64Input([path.interval.end]),
        x: f64Input([[1]]),
        x1: f64Input([[1]]),
      });
      expect(field.every(Number.isFinite)).to.equal(true);
    }
  });
});
