import { gpuTests } from './support/webgpu/gpuTests.ts';

await gpuTests({ slow: false, limit: 600 });
