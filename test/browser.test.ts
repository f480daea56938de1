import { assert, expect } from 'chai';
import { brokenCases } from './support/brokenCases.ts';
import { expectReferenceLosses } from './support/browser/expectReferenceLosses.ts';
import { inChromium } from './support/browser/inChromium.ts';

/** From the first three levels, a case for each kind of thing that a browser may do in its own way. */
const ids = [
  'L0/manifest/operators',
  'L0/arrays/f32',
  'L0/runs/outputs',
  'L0/donation/takes',
  'L0/binding/fixes',
  'L0/concurrency/runs',
  'L1/Add/f32/equal shapes',
  'L1/Where/f32/[], [2, 3], [3]',
  'L1/Tanh/f32/a wide range',
  'L1/Mod/u32/fmod 0, equal shapes',
  'L1/Transpose/f32/permutations of more axes',
  'L1/Concat/f32/ONNX concat_3d_axis_2',
  'L1/ReduceSum/f32/the last axis',
  'L1/MatMul/f32/drawn products',
  'L1/ScatterAdd/f32/updates',
  'L1/RandomNormal/f32/[3, 2, 2]',
  'L2/Less/f32/NaN and infinities',
  'L2/Mod/u32/beyond 2³¹',
  'L2/LogSoftmax/f32/scores of any size',
  'L2/ScatterAdd/f32/negative and repeated indices',
];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const backends = { webgpu: 'webgpu', 'tfjs-wasm': 'tfjs' };

for (const [subject, backend] of Object.entries(backends)) {
  inChromium(subject, (opened) => {
    it('passes twenty cases of conformance', async function () {
      this.timeout(60_000);
      const report = await opened().page.evaluate((ids) => harness.conformance({ ids }), ids);
      expect(report.backend.name).to.equal(backend);
      assert.sameMembers(
        report.results.filter(({ status }) => status === 'pass').map(({ id }) => id),
        ids,
        brokenCases(report).join('\n'),
      );
    });

    it('trains for twenty steps, with the losses of the reference', async function () {
      this.timeout(60_000);
      const losses = await opened().page.evaluate(() => harness.trainingLosses());
      expect(losses).to.have.length(20);
      await expectReferenceLosses(losses);
      expect(mean(losses.slice(-5))).to.be.lessThan(mean(losses.slice(0, 5)));
    });

    if (subject !== 'webgpu') return;
    it('reports uncaptured WebGPU errors', async () => {
      await opened().page.evaluate(async () => {
        const adapter = await navigator.gpu.requestAdapter();
        const device = await adapter!.requestDevice();
        device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
        await device.queue.onSubmittedWorkDone();
        device.destroy();
      });
      expect(opened().takeErrors().join('\n')).to.match(/^Uncaptured WebGPU error: /);
    });
  });
}
