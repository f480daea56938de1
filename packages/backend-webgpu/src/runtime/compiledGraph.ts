import { prepareGraph, type CompileOptions, type Graph, type Manifest } from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { compileProgram } from '../compiler/compileProgram.ts';
import type { Program, SmallConstant } from '../compiler/program.ts';
import { smallElementBytes } from '../memory/tensorBytes.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { toElements } from './elements.ts';

/** A program on a device, shared by every executable of one graph. */
export interface CompiledGraph {
  readonly program: Program;
  readonly pipelines: readonly GPUComputePipeline[];
  readonly constants: readonly DeviceBuffer[];
  readonly scratch: readonly DeviceBuffer[];
  /** A buffer for the small tensors of a run, with the constants among them. */
  takeSmall(): DeviceBuffer;
  dispose(): void;
}

/** @throws UnsupportedError for an operator without a lowering; BackendError if the device's limits are too low or it refuses a kernel. */
export async function compileGraph(
  session: DeviceSession,
  source: Graph,
  aliases: NonNullable<CompileOptions['aliases']>,
  { profile, manifest }: { readonly profile: AdapterProfile; readonly manifest: Manifest },
): Promise<CompiledGraph> {
  const { graph } = prepareGraph(source, manifest, 'webgpu');
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
  readonly #smallConstants: ReturnType<typeof laidOut>;
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
    this.#smallConstants = laidOut(program.smallConstants);
    const { buffers, release } = session.takeScratch(program.scratch);
    this.scratch = buffers;
    this.#releaseScratch = release;
  }

  takeSmall(): DeviceBuffer {
    const buffer = this.#session.pool.take(Math.max(1, this.program.smallElements) * smallElementBytes);
    const { first, words } = this.#smallConstants;
    this.#session.write(buffer.buffer, first * smallElementBytes, words);
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.constants) buffer.release();
    this.#releaseScratch();
  }
}

/** Small constants in their places from the first to the last, so that a run writes them with one call; the gaps are overwritten later. */
function laidOut(constants: readonly SmallConstant[]): { readonly first: number; readonly words: Uint32Array } {
  if (constants.length === 0) return { first: 0, words: new Uint32Array() };
  const parts = constants.map((constant) => {
    const { buffer, byteOffset, length } = toElements(constant);
    return { offset: constant.offset, words: new Uint32Array(buffer, byteOffset, length) };
  });
  const first = Math.min(...parts.map(({ offset }) => offset));
  const words = new Uint32Array(Math.max(...parts.map((part) => part.offset + part.words.length)) - first);
  for (const part of parts) words.set(part.words, part.offset - first);
  return { first, words };
}
