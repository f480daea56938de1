import { levelTitles, type Level } from '@flow-matching/conformance';
import { assert } from 'chai';
import { brokenCases } from './support/brokenCases.ts';
import { expectReferenceLosses } from './support/browser/expectReferenceLosses.ts';
import { inChromium } from './support/browser/inChromium.ts';

/** TensorFlow.js leaves small tensors to the CPU unless a flag in the page's address forbids it. */
const inShaders = (engine: string): string => `tfjs-${engine}&tfjsflags=${engine.toUpperCase()}_CPU_FORWARD:false`;

const levels: Readonly<Record<string, readonly Level[]>> = {
  webgpu: [0, 1, 2, 3, 4, 5],
  'tfjs-wasm': [0, 1, 2, 3, 4, 5],
  'tfjs-webgl': [0, 1, 2, 3],
  [inShaders('webgl')]: [3],
  'tfjs-webgpu': [0, 1, 2, 3],
  [inShaders('webgpu')]: [0, 1, 2, 3],
};

/** Cases of level 2 with integers beyond 2²⁴. In TensorFlow.js's shaders integers pass through floats, which represent no more: documented as the engines' caveat. */
const beyondFloats = '^L2/[^/]+/[iu]32/(integers that are no floats|wraps around|the ends of the range|.*beyond 2)';
const isInexact = (backend: string): boolean => /^tfjs-web(gl|gpu)/.test(backend);

for (const [backend, passed] of Object.entries(levels)) {
  inChromium(backend, (opened) => {
    for (const level of passed) {
      it(`passes level ${level} of conformance: ${levelTitles[level]}`, async function () {
        this.timeout(1_200_000);
        const selection = { levels: [level], ...(isInexact(backend) && { except: beyondFloats }) };
        const report = await opened().page.evaluate((given) => harness.conformance(given), selection);
        assert.deepEqual(brokenCases(report), []);
      });
    }

    it('trains with the losses of the reference', async function () {
      this.timeout(120_000);
      await expectReferenceLosses(await opened().page.evaluate(() => harness.trainingLosses()));
    });
  });
}
