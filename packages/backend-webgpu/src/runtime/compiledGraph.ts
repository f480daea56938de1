import { prepareGraph, type CompileOptions, type Graph } from '@flow-matching/core';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { compileProgram } from '../compiler/compileProgram.ts';
import type { Program } from '../compiler/program.ts';
import { webgpuManifest } from '../lowering/index.ts';
import { smallElementBytes } from '../memory/tensorBytes.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { toElements } from './elements.ts';

/** A program on a device: what every executable of one graph shares. */
export interface CompiledGraph {
  readonly program: Program;
  readonly pipelines: readonly GPUComputePipeline[];
  readonly constants: readonly DeviceBuffer[];
  readonly scratch: readonly DeviceBuffer[];
  /** A buffer for the small tensors of a run, with the constants among them. */
  takeSmall(): DeviceBuffer;
  dispose(): void;
}

/** @throws UnsupportedError for an operator without a lowering; BackendError where the device's limits are too low or it refuses a kernel. */
export async function compileGraph(
  session: DeviceSession,
  source: Graph,
  aliases: NonNullable<CompileOptions['aliases']>,
  profile: AdapterProfile,
): Promise<CompiledGraph> {
  const { graph } = prepareGraph(source, webgpuManifest(profile), 'webgpu');
  const program = compileProgram(graph, aliases, profile);
  const pipelines = await Promise.all(program.kernels.map((kernel) => session.pipeline(kernel)));
  return new Compiled(session, program, pipelines);
}

class Compiled implements CompiledGraph {
  readonly program: Program;
  readonly pipelines: readonly GPUComputePipeline[];
  readonly constants: readonly DeviceBuffer[];
  readonly scratch: readonly DeviceBuffer[];
  readonly #session: DeviceSession;
  readonly #releaseScratch: () => void;

  constructor(session: DeviceSession, program: Program, pipelines: readonly GPUComputePipeline[]) {
    this.#session = session;
    this.program = program;
    this.pipelines = pipelines;
    this.constants = program.constants.map((constant) => {
      const elements = toElements(constant);
      const buffer = session.pool.take(elements.byteLength);
      session.write(buffer.buffer, 0, elements);
      return buffer;
    });
    const { buffers, release } = session.takeScratch(program.scratch);
    this.scratch = buffers;
    this.#releaseScratch = release;
  }

  takeSmall(): DeviceBuffer {
    const { smallElements, smallConstants } = this.program;
    const buffer = this.#session.pool.take(Math.max(1, smallElements) * smallElementBytes);
    for (const { offset, ...constant } of smallConstants)
      this.#session.write(buffer.buffer, offset * smallElementBytes, toElements(constant));
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.constants) buffer.release();
    this.#releaseScratch();
  }
}
