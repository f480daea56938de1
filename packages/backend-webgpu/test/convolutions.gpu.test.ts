import { webgpu } from '@flow-matching/backend-webgpu/node';
import type { Backend } from '@flow-matching/tensor';
import { convolutions, expectConvolution } from '../../../test/support/convolutions.ts';

// Kernels for processors and for GPUs share these sums: only large products differ.

describe('a convolution and its gradients are the sums that define them:', () => {
  let backend: Backend;
  before(async () => {
    backend = await webgpu({ kernels: 'gpu' });
  });
  after(() => backend.dispose());
  for (const [name, convolution] of Object.entries(convolutions))
    it(name, () => expectConvolution(backend, convolution));
});
