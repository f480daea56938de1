import { webgpu } from '@flow-matching/backend-webgpu/node';
import { backendCases, runConformance } from '@flow-matching/conformance';
import { assert } from 'chai';
import { brokenCases } from './support/brokenCases.ts';

/** Of f16, and of other dtypes to it. */
const cases = backendCases().filter(({ id, dtype, level }) => level <= 2 && (dtype === 'f16' || id.includes('to f16')));

for (const kernels of ['processor', 'gpu'] as const) {
  it(`f16 passes levels 0–2 of conformance with the kernels of a ${kernels}`, async function () {
    // Drivers keep what they compile; the first time takes longest.
    this.timeout(400_000);
    const report = await runConformance(() => webgpu({ kernels }), { cases });
    assert.deepEqual(brokenCases(report), []);
    const unsupported = report.results.filter(({ status }) => status === 'unsupported').map(({ id }) => id);
    assert.sameMembers(unsupported, ['L1/Cast/f16/to f64', 'L1/Cast/f64/to f16', 'L2/Cast/f16/no elements']);
  });
}
