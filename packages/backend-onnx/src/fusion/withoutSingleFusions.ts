import type { Graph } from '@flow-matching/tensor';
import type { InferenceSession } from 'onnxruntime-common';

/**
 * ONNX Runtime's fusions that assume f32: QuickGelu has no other kernel, so an f64 graph does not load, and the factor of a
 * scaled product and the epsilon of a normalization become f32 attributes, which loses half of the digits of f64.
 */
const singleFusions = [
  'QuickGeluFusion',
  'MatMulScaleFusion',
  'LayerNormFusionL1',
  'LayerNormFusionL2',
  'SimplifiedLayerNormFusion',
];

/** Session options that disable those fusions for f64 graphs. */
export function withoutSingleFusions(
  graph: Graph,
  options: InferenceSession.SessionOptions,
): InferenceSession.SessionOptions {
  if (!graph.nodes.some(({ outputs }) => outputs.some(({ dtype }) => dtype === 'f64'))) return options;
  const { extra } = options;
  return {
    ...options,
    extra: {
      ...extra,
      optimization: { disable_specified_optimizers: singleFusions.join(';'), ...(extra?.['optimization'] as object) },
    },
  };
}
