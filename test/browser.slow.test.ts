import { levelTitles, type Level } from '@flow-matching/conformance';
import { assert } from 'chai';
import { brokenCases } from './support/brokenCases.ts';
import { inChromium } from './support/browser/inChromium.ts';

const levels: readonly Level[] = [0, 1, 2, 3, 4, 5];

for (const backend of ['webgpu']) {
  inChromium(backend, (opened) => {
    for (const level of levels) {
      it(`passes level ${level} of conformance: ${levelTitles[level]}`, async function () {
        this.timeout(1_200_000);
        const report = await opened().page.evaluate((level) => harness.conformance({ levels: [level] }), level);
        assert.deepEqual(brokenCases(report), []);
      });
    }
  });
}
