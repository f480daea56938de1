import { prepareGraph } from '@flow-matching/tensor';
import type { AdapterProfile } from '../../packages/backend-webgpu/src/compiler/adapterProfile.ts';
import { compileProgram } from '../../packages/backend-webgpu/src/compiler/compileProgram.ts';
import type { Program } from '../../packages/backend-webgpu/src/compiler/program.ts';
import { webgpuManifest } from '../../packages/backend-webgpu/src/lowering/index.ts';
import type { RecordedGraph } from './graphRecorder.ts';

/** What one run of a compiled graph is made of. It depends on the graph and on the limits of the adapter, not on time. */
export interface ProgramFacts {
  /** Dispatches: each kernel is one. */
  readonly kernels: number;
  /** Kernels with the same code share a pipeline. */
  readonly pipelines: number;
  readonly codeBytes: number;
  /** Bytes of the tensors that kernels read and write, each once a kernel. */
  readonly movedBytes: number;
  /** Bytes of memory between kernels. */
  readonly scratchBytes: number;
}

/** A graph as the backend compiles it. */
export const programOf = ({ graph, aliases }: RecordedGraph, profile: AdapterProfile): Program =>
  compileProgram(prepareGraph(graph, webgpuManifest(profile), 'webgpu').graph, aliases, profile);

export function programFacts({ kernels, scratch }: Program): ProgramFacts {
  const codes = new Set(kernels.map(({ code }) => code));
  return {
    kernels: kernels.length,
    pipelines: codes.size,
    codeBytes: sum([...codes].map((code) => code.length)),
    movedBytes: sum(kernels.map(({ bytes }) => bytes)),
    scratchBytes: sum(scratch),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
