import { onnx } from '@flow-matching/backend-onnx';
import { tfjs, type TfjsEngine } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import { assert } from 'chai';
import { trainedLosses } from './support/trainedLosses.ts';

const engines: readonly { readonly engine: TfjsEngine; readonly here: () => boolean }[] = [
  { engine: 'node', here: isTensorflowInstalled },
  { engine: 'wasm', here: () => true },
];

describe("the loss curve of ONNX Runtime's backend", () => {
  let expected: readonly number[];

  before(async () => {
    expected = await trainedLosses(onnx(), 100);
  });

  for (const { engine, here } of engines) {
    it(`is that of the engine ${engine} to round-off for a hundred steps`, async function () {
      if (!here()) this.skip();
      const losses = await trainedLosses(await tfjs({ engine }), 100);
      assert.lengthOf(losses, 100);
      // Roundings of 2⁻²⁴ grow with the steps; a different draw or update shows at once, by per cents.
      losses.forEach((loss, step) => assert.closeTo(loss / expected[step], 1, 2e-6 * (step + 5), `step ${step + 1}`));
    });
  }
});
