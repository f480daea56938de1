import { compileProgram, webgpuManifest, type AdapterProfile, type WebgpuProgram } from '@flow-matching/backend-webgpu';
import { prepareGraph, trace, type CompileOptions, type Tensor, type TensorType } from '@flow-matching/tensor';
import { leastGpu } from './profiles.ts';

/** A formula's program, which takes no device. */
export function compiled(
  formula: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
  inputs: Readonly<Record<string, TensorType>>,
  { profile = leastGpu, aliases = [] }: { profile?: AdapterProfile; aliases?: CompileOptions['aliases'] & {} } = {},
): WebgpuProgram {
  const graph = trace(formula as never, inputs as never);
  return compileProgram(prepareGraph(graph, webgpuManifest(profile), 'webgpu').graph, aliases, profile);
}
