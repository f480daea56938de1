import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  add,
  delinearize,
  divide,
  linearize,
  literal,
  modulo,
  scale,
  variable,
  type IndexExpression,
} from '../src/indexing/indexExpression.ts';

/** What an expression is worth for values of its variables. */
function evaluate({ constant, terms }: IndexExpression, values: Readonly<Record<string, number>>): number {
  return terms.reduce((sum, { atom: { key, division }, factor }) => {
    if (!division) return sum + factor * values[key];
    const inner = evaluate(division.of, values);
    return (
      sum + factor * (division.kind === 'quotient' ? Math.floor(inner / division.divisor) : inner % division.divisor)
    );
  }, constant);
}

const extents = { a: 6, b: 5, c: 4 } as const;
const variables = Object.entries(extents).map(([name, extent]) => variable(name, extent));
const values = fc.record({ a: fc.nat(extents.a - 1), b: fc.nat(extents.b - 1), c: fc.nat(extents.c - 1) });

/** Expressions that are not negative, with what they are worth. */
const expressions = fc
  .tuple(fc.array(fc.nat(12), { minLength: 3, maxLength: 3 }), fc.nat(20))
  .map(([factors, constant]) => add(literal(constant), ...factors.map((factor, i) => scale(variables[i], factor))));

describe('index expressions', () => {
  it('divide and take remainders as numbers do, one inside the other', () => {
    const divisors = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(expressions, divisors, divisors, values, (expression, first, second, at) => {
        const worth = evaluate(expression, at);
        for (const [of, expected] of [
          [divide(expression, first), Math.floor(worth / first)],
          [modulo(expression, first), worth % first],
          [divide(divide(expression, first), second), Math.floor(Math.floor(worth / first) / second)],
          [modulo(divide(expression, first), second), Math.floor(worth / first) % second],
          [add(scale(divide(expression, first), 3 * first), scale(modulo(expression, first), 3)), 3 * worth],
        ] as const) {
          expect(evaluate(of, at)).to.equal(expected);
          expect(evaluate(of, at)).to.be.within(of.least, of.most);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('find back the position they were taken apart from', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const position = variable(
          'p',
          shape.reduce((size, extent) => size * extent, 1),
        );
        expect(linearize(delinearize(position, shape), shape).key).to.equal(position.key);
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('dissolve a reshape that only joins or splits axes', () => {
    const [row, column] = [variable('r', 8), variable('c', 12)];
    const position = linearize([row, column], [8, 12]);
    expect(delinearize(position, [8, 3, 4]).map(({ key }) => key)).to.deep.equal([
      row.key,
      divide(column, 4).key,
      modulo(column, 4).key,
    ]);
    expect(delinearize(position, [2, 4, 12])[2].key).to.equal(column.key);
  });
});
