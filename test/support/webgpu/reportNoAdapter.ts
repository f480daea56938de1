import { assert } from 'chai';

/** An adapter that tests take. */
export interface AdapterNeed {
  readonly feature?: GPUFeatureName;
  /** Whether tests fail where there is none, rather than be skipped. */
  readonly required: boolean;
  readonly missing: string;
}

export const anyAdapter: AdapterNeed = { required: process.env['CI'] === 'true', missing: 'no WebGPU adapter' };

/** None comes with the development dependencies, so it is asked for. */
export const adapterOfHalves: AdapterNeed = {
  feature: 'shader-f16',
  required: process.env['WEBGPU_F16'] === 'required',
  missing: 'no WebGPU adapter with shader-f16',
};

/** Where an adapter is missing: a failure where it is required, elsewhere one loud line. */
export function reportNoAdapter(what: string, { required, missing }: AdapterNeed = anyAdapter): void {
  if (required) assert.fail(`${what} have ${missing}. Here there must be one.`);
  console.log(`\n  *** ${what} ARE SKIPPED: there is ${missing}. CONTRIBUTING.md says how to get one. ***\n`);
}
