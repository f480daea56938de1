import type { Backend } from '../backend/backend.ts';
import { hostBackend } from '../backend/hostBackend.ts';
import { checkSupported, supports } from '../backend/manifest.ts';
import { finishOnClock } from '../eventLoop/stepwise.ts';
import type { Graph } from '../graph/graph.ts';
import { inlineComposites } from '../passes/inlineComposites.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { evaluateSteps, inReferenceStorage } from './evaluateGraph.ts';
import { referenceManifest } from './kernels.ts';

/**
 * The backend that defines the operators: graphs are interpreted in this process, node by node, with every float in f64.
 *
 * `array()` takes floats in a Float32Array or a Float64Array; `read()` returns floats of every dtype in a Float64Array,
 * unrounded. Other dtypes are read in their own storage.
 */
export const createReferenceBackend = (): Backend =>
  hostBackend({
    name: 'reference',
    device: 'cpu, interpreted in f64',
    manifest: referenceManifest,
    copy: ownCopy,
    compile(graph: Graph) {
      checkSupported(
        inlineComposites(graph, (node) => supports(referenceManifest, node)),
        referenceManifest,
        'reference',
      );
      return (inputs) => finishOnClock(evaluateSteps(graph, inputs));
    },
  });

/** A copy, unaffected by later writes to the caller's array. */
function ownCopy(source: HostArray): HostArray {
  const { data, shape, dtype } = inReferenceStorage(source);
  return { data: data === source.data ? data.slice() : data, shape, dtype };
}
