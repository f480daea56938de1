import { gpuTests } from './support/webgpu/gpuTests.ts';

await gpuTests({ kind: 'slow', limit: 3600 });
