import { onnx } from '@flow-matching/backend-onnx';
import { convolutions, expectConvolution } from '../../../test/support/convolutions.ts';

describe('a convolution and its gradients are the sums that define them:', () => {
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());
  for (const [name, convolution] of Object.entries(convolutions))
    it(name, () => expectConvolution(backend, convolution));
});
