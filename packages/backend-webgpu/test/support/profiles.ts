import type { AdapterProfile } from '@flow-matching/backend-webgpu';

/** The least that WebGPU promises. */
export const leastGpu: AdapterProfile = {
  software: false,
  halves: true,
  subgroups: false,
  storageBuffers: 8,
  storageBufferBytes: 2 ** 27,
  workgroupsPerDimension: 65_535,
  invocationsPerWorkgroup: 256,
  workgroupStorageBytes: 16_384,
};

export const processor: AdapterProfile = { ...leastGpu, software: true };
