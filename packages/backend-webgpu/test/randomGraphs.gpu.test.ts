import { webgpu } from '@flow-matching/backend-webgpu/node';
import { checkRandomGraphs } from './support/checkRandomGraphs.ts';

for (const kernels of ['processor', 'gpu'] as const) {
  it(`random graphs give what the reference has, with the kernels of a ${kernels}`, async function () {
    this.timeout(120_000);
    await using backend = await webgpu({ kernels });
    await checkRandomGraphs(backend, 'f32', 12);
  });
}
