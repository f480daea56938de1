import * as core from '@flow-matching/tensor';
import { float, lowering, named, type Lowering } from './lowering.ts';

/** Composites that ONNX Runtime runs as one kernel, as accurate as the decomposition. */
export const composites: readonly Lowering[] = [
  named('Relu', float, (write, inputs) => write.node('Relu', inputs)),
  lowering(core.Softmax.operator, float, (write, inputs, { attributes: { axis } }) =>
    write.node('Softmax', inputs, { axis }),
  ),
  lowering(core.LogSoftmax.operator, float, (write, inputs, { attributes: { axis } }) =>
    write.node('LogSoftmax', inputs, { axis }),
  ),
  lowering(core.Gelu.operator, ['f32'], (write, inputs, { attributes: { approximate } }) =>
    write.node('Gelu', inputs, { approximate }),
  ),
];
