import { tfjs, type TfjsEngine } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import type { Backend } from '@flow-matching/tensor';
import { convolutions, expectConvolution } from '../../../test/support/convolutions.ts';

for (const engine of ['node', 'wasm', 'cpu'] as const satisfies readonly TfjsEngine[])
  describe(`on the engine ${engine} a convolution and its gradients are the sums that define them:`, () => {
    let backend: Backend;
    before(async function () {
      if (engine === 'node' && !isTensorflowInstalled()) this.skip();
      backend = await tfjs({ engine });
    });
    after(() => backend?.dispose());
    for (const [name, convolution] of Object.entries(convolutions))
      it(name, () => expectConvolution(backend, convolution));
  });
