import {
  prepareGraph,
  type CompileOptions,
  type Graph,
  type HandleProgram,
  type HostArray,
  type Manifest,
} from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import { compileProgram } from '../compiler/compileProgram.ts';
import type { Program, SmallConstant } from '../compiler/program.ts';
import { smallElementBytes } from '../memory/tensorBytes.ts';
import { upload, type ArrayPlace } from './arrayPlace.ts';
import { BindGroups } from './bindGroups.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { toElements } from './elements.ts';
import { KernelTimer } from './kernelTimer.ts';
import { ProgramRun, type ProgramInputs } from './programRun.ts';

export interface CompiledGraphOptions extends Required<CompileOptions> {
  readonly profile: AdapterProfile;
  readonly manifest: Manifest;
  /** Whether kernels are timed. */
  readonly timed: boolean;
}

/** A program on a device. */
export class CompiledGraph implements HandleProgram<ArrayPlace, HostArray> {
  readonly program: Program;
  readonly pipelines: readonly GPUComputePipeline[];
  readonly constants: readonly DeviceBuffer[];
  readonly scratch: readonly DeviceBuffer[];
  readonly bindGroups: BindGroups;
  /** Present if kernels are timed. */
  readonly timer: KernelTimer | undefined;
  readonly #session: DeviceSession;
  readonly #smallConstants: ReturnType<typeof laidOut>;
  readonly #releaseScratch: () => void;

  /** @throws UnsupportedError for an operator without a lowering; BackendError if the device's limits are too low or it refuses a kernel. */
  static async create(
    session: DeviceSession,
    source: Graph,
    { aliases, profile, manifest, timed }: CompiledGraphOptions,
  ): Promise<CompiledGraph> {
    const { graph } = prepareGraph(source, manifest, 'webgpu');
    const program = compileProgram(graph, aliases, profile);
    const pipelines = await Promise.all(program.kernels.map((kernel) => session.pipeline(kernel)));
    return new CompiledGraph(session, program, { pipelines, timed });
  }

  private constructor(
    session: DeviceSession,
    program: Program,
    { pipelines, timed }: { readonly pipelines: readonly GPUComputePipeline[]; readonly timed: boolean },
  ) {
    this.#session = session;
    this.program = program;
    this.pipelines = pipelines;
    this.bindGroups = new BindGroups(session);
    const { length } = program.kernels;
    this.timer = timed && length > 0 ? new KernelTimer(session, length) : undefined;
    this.constants = program.constants.map((constant) => upload(session, constant).buffer);
    this.#smallConstants = laidOut(program.smallConstants);
    const { buffers, release } = session.takeScratch(program.scratch);
    this.scratch = buffers;
    this.#releaseScratch = release;
  }

  /** Submits a run before it first waits; resolves when the device is at most a few submissions behind. */
  async run(inputs: ProgramInputs): Promise<Record<string, ArrayPlace>> {
    const outputs = new ProgramRun(this.#session, this, inputs).submit();
    await this.#session.keepUp();
    return outputs;
  }

  /** A buffer for the small tensors of a run, with the constants among them. */
  takeSmall(): DeviceBuffer {
    const buffer = this.#session.pool.take(Math.max(1, this.program.smallElements) * smallElementBytes);
    const { first, words } = this.#smallConstants;
    this.#session.write(buffer.buffer, first * smallElementBytes, words);
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.constants) buffer.release();
    this.#releaseScratch();
    this.timer?.dispose();
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
