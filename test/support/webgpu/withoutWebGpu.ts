import { assert } from 'chai';

/** Where there is no WebGPU: in CI a failure, elsewhere one loud line and tests that count as skipped. */
export function withoutWebGpu(what: string, registerSkipped: () => void): void {
  if (process.env['CI'] === 'true') {
    it(`${what} find an adapter`, () => assert.fail('There is no WebGPU adapter. CI must have one.'));
    return;
  }
  console.log(`\n  *** ${what} ARE SKIPPED: there is no WebGPU adapter. CONTRIBUTING.md says how to get one. ***`);
  registerSkipped();
}
