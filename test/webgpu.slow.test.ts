import { gpuTests } from './support/webgpu/gpuTests.ts';

await gpuTests({ slow: true, limit: 3600 });
