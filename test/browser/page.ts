import { backendCases, runConformance } from '@flow-matching/conformance';
import { adapterName } from '../support/webgpu/adapterName.ts';
import { onUncapturedError } from '../support/webgpu/onUncapturedError.ts';
import { backends } from './backends.ts';
import { trainingLosses } from './trainingLosses.ts';

// The page of the tests: runs what they ask for on the backend that its address names.

if ('GPUAdapter' in globalThis) onUncapturedError(GPUAdapter, console.error);

const name = new URLSearchParams(location.search).get('backend') ?? '';
const create = backends[name];
if (!create) throw new Error(`There is no backend '${name}': ${Object.keys(backends).join(', ')}.`);

globalThis.harness = {
  async adapter() {
    const adapter = await (navigator as Partial<Navigator>).gpu?.requestAdapter();
    return adapter ? adapterName(adapter.info) : undefined;
  },
  conformance({ levels, ids, except }) {
    const left = except === undefined ? undefined : new RegExp(except);
    const cases = backendCases().filter(({ id }) => (ids?.includes(id) ?? true) && !left?.test(id));
    return runConformance(create, { cases, levels });
  },
  async trainingLosses() {
    await using backend = await create();
    return await trainingLosses(backend);
  },
};
