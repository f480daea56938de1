import type { ButcherTableau } from '@flow-matching/core';
import { expect } from 'chai';
import {
  adaptiveHeunTableau,
  bosh3Tableau,
  dopri5Tableau,
  dopri8Tableau,
  eulerTableau,
  heun2Tableau,
  heun3Tableau,
  midpointTableau,
  ralstonTableau,
  rk38Tableau,
  rk4Tableau,
  tsit5Tableau,
} from '../src/index.ts';
import { expectClose } from './support/expectClose.ts';

const tableaus: Readonly<Record<string, ButcherTableau>> = {
  adaptiveHeunTableau,
  bosh3Tableau,
  dopri5Tableau,
  dopri8Tableau,
  eulerTableau,
  heun2Tableau,
  heun3Tableau,
  midpointTableau,
  ralstonTableau,
  rk38Tableau,
  rk4Tableau,
  tsit5Tableau,
};

const sum = (terms: readonly number[]): number => terms.reduce((total, term) => total + term, 0);
const dot = (weights: readonly number[], values: readonly number[]): number =>
  sum(weights.map((weight, i) => weight * values[i]));
const times = (x: readonly number[], y: readonly number[]): number[] => x.map((value, i) => value * y[i]);

/** Left sides of the order conditions on weights b, by the number of nodes of their trees, each with its right side at θ (Hairer, Nørsett & Wanner, II.2). */
function orderConditions(
  { nodes: c, stages: a }: ButcherTableau,
  b: readonly number[],
  theta: number,
): { order: number; error: number }[] {
  const through = (values: readonly number[]): number[] => a.map((row) => dot(row, values));
  const power = (k: number): number[] => c.map((value) => value ** k);
  const trees: [order: number, density: number, values: number[]][] = [
    [1, 1, power(0)],
    [2, 2, power(1)],
    [3, 3, power(2)],
    [3, 6, through(c)],
    [4, 4, power(3)],
    [4, 8, times(c, through(c))],
    [4, 12, through(power(2))],
    [4, 24, through(through(c))],
    [5, 5, power(4)],
    [5, 10, times(power(2), through(c))],
    [5, 15, times(c, through(power(2)))],
    [5, 30, times(c, through(through(c)))],
    [5, 20, times(through(c), through(c))],
    [5, 20, through(power(3))],
    [5, 40, through(times(c, through(c)))],
    [5, 60, through(through(power(2)))],
    [5, 120, through(through(through(c)))],
  ];
  return trees.map(([order, density, values]) => ({
    order,
    error: Math.abs(dot(b, values) - theta ** order / density),
  }));
}

function orderOf(tableau: ButcherTableau, b: readonly number[], theta = 1): number {
  const broken = orderConditions(tableau, b, theta).find(({ error }) => error > 1e-13);
  return broken ? broken.order - 1 : 5;
}

describe('tableaus', () => {
  it('have the orders they declare', () => {
    for (const [name, tableau] of Object.entries(tableaus)) {
      expect(orderOf(tableau, tableau.weights), name).to.equal(Math.min(tableau.order, 5));
    }
  });

  it('estimate errors by a method of the order they declare', () => {
    for (const [name, tableau] of Object.entries(tableaus)) {
      if (!tableau.embedded) continue;
      const lower = tableau.weights.map((weight, i) => weight - tableau.embedded!.errorWeights[i]);
      expect(orderOf(tableau, lower), name).to.equal(Math.min(tableau.embedded.order, 5));
    }
  });

  for (const [name, tableau] of Object.entries({ dopri5Tableau, tsit5Tableau }))
    it(`of ${name} interpolates with order 4 everywhere in the step, smoothly into the next`, () => {
      const { interpolant, weights, nodes } = tableau;
      const at = (theta: number): number[] =>
        interpolant!.map((row) => row.reduce((sum, coefficient, i) => sum + coefficient * theta ** (i + 1), 0));
      for (const theta of [0.1, 0.25, 0.5, 0.8]) expect(orderOf(tableau, at(theta), theta), `θ = ${theta}`).to.equal(4);
      expectClose(at(1), weights, 1e-14, 'weights at θ = 1');
      const slope = (theta: number): number[] =>
        interpolant!.map((row) => row.reduce((sum, coefficient, i) => sum + (i + 1) * coefficient * theta ** i, 0));
      expectClose(
        slope(0),
        nodes.map((_, i) => (i === 0 ? 1 : 0)),
        1e-13,
        'slope at θ = 0',
      );
      expectClose(
        slope(1),
        nodes.map((_, i) => (i === 6 ? 1 : 0)),
        1e-13,
        'slope at θ = 1',
      );
    });
});
