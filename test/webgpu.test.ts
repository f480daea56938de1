import { gpuTests } from './support/webgpu/gpuTests.ts';

await gpuTests({ kind: 'fast', limit: 600 });
