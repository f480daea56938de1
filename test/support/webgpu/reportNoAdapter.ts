import { assert } from 'chai';

/** Whether tests fail where there is no adapter, rather than be skipped. */
export const mustHaveAdapter = process.env['CI'] === 'true';

/** Where there is no WebGPU: in CI a failure, elsewhere one loud line. */
export function reportNoAdapter(what: string): void {
  if (mustHaveAdapter) assert.fail(`${what} have no WebGPU adapter. In CI there must be one.`);
  console.log(`\n  *** ${what} ARE SKIPPED: there is no WebGPU adapter. CONTRIBUTING.md says how to get one. ***\n`);
}

/** Whether tests of f16 fail where no adapter has shader-f16: none comes with the development dependencies, so it is asked for. */
export const mustHaveHalves = process.env['WEBGPU_F16'] === 'required';

/** Where no adapter has shader-f16: one loud line, or a failure where that is asked for. */
export function reportNoHalves(what: string): void {
  if (mustHaveHalves) assert.fail(`${what} have no WebGPU adapter with shader-f16, and WEBGPU_F16 requires one.`);
  console.log(
    `\n  *** ${what} ARE SKIPPED: no WebGPU adapter here has shader-f16. CONTRIBUTING.md says how to get one. ***\n`,
  );
}
