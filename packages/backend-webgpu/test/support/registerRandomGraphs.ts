import { webgpu } from '@flow-matching/backend-webgpu/node';
import type { DType } from '@flow-matching/tensor';
import { checkRandomGraphs } from './checkRandomGraphs.ts';

/** Registers a test of `count` random graphs for each kind of kernels, which may take `limit` milliseconds. */
export function registerRandomGraphs(dtype: DType, count: number, limit: number): void {
  for (const kernels of ['processor', 'gpu'] as const) {
    it(`random graphs of ${dtype} give what the reference has, with the kernels of a ${kernels}`, async function () {
      this.timeout(limit);
      await using backend = await webgpu({ kernels });
      await checkRandomGraphs(backend, dtype, count);
    });
  }
}
