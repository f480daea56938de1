import { gpuTests } from './support/webgpu/gpuTests.ts';

await gpuTests({ kind: 'f16', limit: 900 });
