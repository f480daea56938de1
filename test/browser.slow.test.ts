import { levelTitles, type Level } from '@flow-matching/conformance';
import { assert } from 'chai';
import { brokenCases } from './support/brokenCases.ts';
import { expectReferenceLosses } from './support/browser/expectReferenceLosses.ts';
import { inChromium } from './support/browser/inChromium.ts';

/** Those of WebGL lose digits of tanh and erf near 0, which level 3 shows. */
const levels: Readonly<Record<string, readonly Level[]>> = {
  webgpu: [0, 1, 2, 3, 4, 5],
  'tfjs-wasm': [0, 1, 2, 3, 4, 5],
  'tfjs-webgl': [0, 1, 2],
};

for (const [backend, passed] of Object.entries(levels)) {
  inChromium(backend, (opened) => {
    for (const level of passed) {
      it(`passes level ${level} of conformance: ${levelTitles[level]}`, async function () {
        this.timeout(1_200_000);
        const report = await opened().page.evaluate((level) => harness.conformance({ levels: [level] }), level);
        assert.deepEqual(brokenCases(report), []);
      });
    }

    it('trains with the losses of the reference', async function () {
      this.timeout(120_000);
      await expectReferenceLosses(await opened().page.evaluate(() => harness.trainingLosses()));
    });
  });
}
