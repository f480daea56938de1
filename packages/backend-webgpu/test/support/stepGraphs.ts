import { webgpuManifest } from '@flow-matching/backend-webgpu';
import { hostBackend, type Backend, type CompileOptions, type Graph } from '@flow-matching/tensor';
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '@flow-matching/plugins';
import { leastGpu } from './profiles.ts';

export interface CompiledStep {
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
}

/** The graph of a training step, with Adam and a moving average, of the paper's network on the checkerboard. */
export async function trainingStep(batchSize: number): Promise<CompiledStep> {
  const compiled: CompiledStep[] = [];
  const manifest = webgpuManifest(leastGpu);
  const arrays = hostBackend({ name: 'recorder', device: 'none', manifest, compile: () => () => ({}) });
  const backend: Backend = {
    name: arrays.name,
    device: arrays.device,
    manifest,
    array: (source) => arrays.array(source),
    compile: (graph, { aliases = [] } = {}) => {
      compiled.push({ graph, aliases });
      return arrays.compile(graph, { aliases });
    },
    dispose: () => arrays.dispose(),
    [Symbol.asyncDispose]: () => arrays.dispose(),
  };
  await using flow = await createFlow({ backend, path: optimalTransport(), model: mlp({ width: 512, depth: 5 }) });
  await flow.begin(checkerboard(), { optimizer: adam({ learningRate: 1e-3 }), steps: 1, batchSize, ema: 0.999 });
  return compiled.find(({ aliases }) => aliases.length > 0)!;
}
