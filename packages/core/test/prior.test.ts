import { assert } from 'chai';
import { hostPriorLogDensity, hostScaledToPrior, priorLogDensity, scaledToPrior } from '../src/drivers/prior.ts';
import type { Path } from '../src/contracts/path.ts';
import { hostArray } from '@flow-matching/tensor';
import { numbers } from '../../tensor/test/support/numeric.ts';

const points = hostArray(Float32Array.of(0.5, -2, 3, 0.25), [2, 2]);
const rows = [
  [0.5, -2],
  [3, 0.25],
];

/** log N(x; 0, diag(std²)) by its definition. */
const logDensity = (x: readonly number[], stds: readonly number[]): number =>
  x.reduce((sum, value, d) => sum - (value / stds[d]) ** 2 / 2 - Math.log(stds[d] * Math.sqrt(2 * Math.PI)), 0);

describe('the prior', () => {
  const priors: readonly (readonly [string, Path['priorStd'], readonly number[]])[] = [
    ['one standard deviation', 50, [50, 50]],
    ['a standard deviation for each coordinate', [0.5, 2], [0.5, 2]],
  ];
  for (const [what, std, stds] of priors) {
    it(`of ${what} scales normals, and has the density of what it draws, in graphs and on the host`, () => {
      const scaled = rows.flatMap((row) => row.map((value, d) => value * stds[d]));
      assert.deepEqual(
        numbers((x) => scaledToPrior(x, std), [points]),
        scaled,
      );
      assert.deepEqual(Array.from(hostScaledToPrior(points, std).data, Number), scaled.map(Math.fround));
      const densities = [numbers((x) => priorLogDensity(x, std), [points]), [...hostPriorLogDensity(points, std)]];
      for (const found of densities)
        rows.forEach((row, i) => assert.closeTo(found[i], logDensity(row, stds), 1e-12, `row ${i}`));
    });
  }
});
