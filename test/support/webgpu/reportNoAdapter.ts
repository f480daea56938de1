import { assert } from 'chai';

/** Whether tests fail where there is no adapter, rather than be skipped. */
export const mustHaveAdapter = process.env['CI'] === 'true';

/** Where there is no WebGPU: in CI a failure, elsewhere one loud line. */
export function reportNoAdapter(what: string): void {
  if (mustHaveAdapter) assert.fail(`${what} have no WebGPU adapter. In CI there must be one.`);
  console.log(`\n  *** ${what} ARE SKIPPED: there is no WebGPU adapter. CONTRIBUTING.md says how to get one. ***\n`);
}

/** Where no adapter has shader-f16: one loud line, in CI too, because none comes with the development dependencies. */
export const reportNoHalves = (what: string): void =>
  console.log(
    `\n  *** ${what} ARE SKIPPED: no WebGPU adapter here has shader-f16. CONTRIBUTING.md says how to get one. ***\n`,
  );
