import {
  BackendError,
  checkBinding,
  DisposedError,
  GraphError,
  isHostArray,
  withBound,
  type BackendArray,
  type CompilationHold,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
  type NamedArrays,
  type RunInputs,
} from '@flow-matching/tensor';
import { bufferKey, type BufferReference, type Place, type Program } from '../compiler/program.ts';
import { bufferBytes, smallElementBytes, tensorBytes } from '../memory/tensorBytes.ts';
import type { BindGroups } from './bindGroups.ts';
import type { CompiledGraph } from './compiledGraph.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { toElements } from './elements.ts';
import type { KernelTimer } from './kernelTimer.ts';
import { WebgpuArray } from './webgpuArray.ts';

export interface WebgpuExecutableParts {
  readonly session: DeviceSession;
  readonly graph: Graph;
  readonly aliases: NonNullable<CompileOptions['aliases']>;
  readonly hold: CompilationHold<{
    readonly compiled: CompiledGraph;
    readonly bindGroups: BindGroups;
    /** Present if kernels are timed. */
    readonly timer: KernelTimer | undefined;
  }>;
  readonly bound: NamedArrays;
}

/** One caller's handle of a compiled graph. A run is submitted immediately, as one command buffer; the device keeps the order. */
export class WebgpuExecutable implements Executable {
  readonly #parts: WebgpuExecutableParts;
  #disposed = false;

  constructor(parts: WebgpuExecutableParts) {
    this.#parts = parts;
  }

  get graph(): Graph {
    return this.#parts.graph;
  }

  /** The kernels with their WGSL, and the memory plan. */
  get program(): Program {
    return this.#parts.hold.value.compiled.program;
  }

  /**
   * Milliseconds of each kernel in the last run of this graph.
   *
   * @throws BackendError unless the backend was made with `debug` on an adapter that supports timestamps.
   */
  async kernelTimes(): Promise<number[]> {
    this.#checkAlive();
    const { timer } = this.#parts.hold.value;
    if (timer) return timer.read();
    throw new BackendError('Kernels are not timed.', {
      expected: 'a backend with the option debug, on an adapter with the feature timestamp-query',
    });
  }

  async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
    this.#checkAlive();
    const { session, graph, aliases, bound } = this.#parts;
    const given = withBound(graph, bound, inputs, aliases);
    for (const array of Object.values(given)) if (!isHostArray(array)) this.#own(array);
    const outputs = new Run(this.#parts, given as Readonly<Record<string, WebgpuArray | HostArray>>).submit();
    await session.keepUp();
    return outputs;
  }

  #own(array: BackendArray): WebgpuArray {
    if (array instanceof WebgpuArray && array.session === this.#parts.session) return array;
    throw new GraphError('An array of another backend was given.', {
      actual: array.constructor.name,
      expected: 'an array of this webgpu backend, or a host array',
      remedy: 'Read it and pass the host array.',
    });
  }

  bind(arrays: NamedArrays): Executable {
    this.#checkAlive();
    const { graph, aliases, bound, hold } = this.#parts;
    checkBinding(graph, arrays, aliases, bound);
    for (const array of Object.values(arrays)) this.#own(array);
    return new WebgpuExecutable({ ...this.#parts, bound: { ...bound, ...arrays }, hold: hold.again() });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#parts.hold.release();
  }

  #checkAlive(): void {
    this.#parts.session.checkAlive();
    if (this.#disposed)
      throw new DisposedError('The executable was disposed.', { expected: 'an executable that is not disposed' });
  }
}

/** A range of bytes to copy from one buffer to another. */
interface Stretch {
  readonly from: DeviceBuffer;
  readonly at: number;
  readonly to: DeviceBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** One run: its buffers, its uploads and its commands. */
class Run {
  readonly #parts: WebgpuExecutableParts;
  readonly #given: Readonly<Record<string, WebgpuArray | HostArray>>;
  readonly #buffers = new Map<string, DeviceBuffer>();
  /** Buffers retained for this run only. */
  readonly #temporary: DeviceBuffer[] = [];
  readonly #small: DeviceBuffer | undefined;

  constructor(parts: WebgpuExecutableParts, given: Readonly<Record<string, WebgpuArray | HostArray>>) {
    this.#parts = parts;
    this.#given = given;
    const { compiled } = parts.hold.value;
    const { program } = compiled;
    if (program.smallElements > 0) {
      this.#small = compiled.takeSmall();
      this.#set({ kind: 'small' }, this.#small);
    }
    compiled.constants.forEach((buffer, number) => this.#set({ kind: 'constant', number }, buffer));
    compiled.scratch.forEach((buffer, slot) => this.#set({ kind: 'scratch', slot }, buffer));
  }

  #set(reference: BufferReference, buffer: DeviceBuffer): void {
    this.#buffers.set(bufferKey(reference), buffer);
  }

  #get(reference: BufferReference): DeviceBuffer {
    return this.#buffers.get(bufferKey(reference))!;
  }

  #at(place: Place): { readonly buffer: DeviceBuffer; readonly offset: number } {
    return place.kind === 'small'
      ? { buffer: this.#small!, offset: place.offset * smallElementBytes }
      : { buffer: this.#get(place.buffer), offset: 0 };
  }

  submit(): Record<string, BackendArray> {
    try {
      return this.#submit();
    } finally {
      for (const buffer of this.#temporary) buffer.release();
      this.#small?.release();
    }
  }

  #submit(): Record<string, BackendArray> {
    const { session, aliases, hold } = this.#parts;
    const { program } = hold.value.compiled;
    const encoder = session.device.createCommandEncoder();
    for (const stretch of joinedStretches(this.#takeInputs())) copy(encoder, stretch);
    for (const { tensor, place, reuses } of program.outputs) {
      if (place.kind === 'buffer' && reuses === undefined)
        this.#set(place.buffer, session.pool.take(bufferBytes(tensor)));
    }
    this.#dispatch(encoder);
    for (const { tensor, place, copies } of program.outputs) {
      if (!copies || tensor.size === 0) continue;
      const [from, to] = [this.#at(copies), this.#at(place)];
      copy(encoder, {
        from: from.buffer,
        at: from.offset,
        to: to.buffer,
        offset: to.offset,
        bytes: tensorBytes(tensor),
      });
    }
    session.submit([encoder.finish()]);
    const outputs = this.#giveOutputs();
    for (const [name] of aliases) {
      const array = this.#given[name];
      if (array instanceof WebgpuArray) array.donate();
    }
    return outputs;
  }

  /** All kernels in one pass, or each in its own if they are timed. */
  #dispatch(encoder: GPUCommandEncoder): void {
    const { compiled, bindGroups, timer } = this.#parts.hold.value;
    const { program, pipelines } = compiled;
    let pass = timer ? undefined : encoder.beginComputePass();
    program.kernels.forEach(({ bindings, workgroups }, i) => {
      const buffers = bindings.map(({ buffer }) => this.#get(buffer));
      if (timer) pass = encoder.beginComputePass({ timestampWrites: timer.timestampWrites(i) });
      pass!.setPipeline(pipelines[i]);
      pass!.setBindGroup(0, bindGroups.of(i, bindings, buffers));
      pass!.dispatchWorkgroups(...workgroups);
      if (timer) pass!.end();
    });
    if (timer) timer.resolve(encoder);
    else pass!.end();
  }

  /** Puts the inputs where the program expects them, and returns the copies that are still needed. */
  #takeInputs(): Stretch[] {
    const { session, hold } = this.#parts;
    const stretches: Stretch[] = [];
    for (const { name, tensor, place } of hold.value.compiled.program.inputs) {
      const array = this.#given[name];
      if (isHostArray(array)) {
        if (place.kind === 'buffer') {
          const buffer = session.pool.take(bufferBytes(tensor));
          this.#temporary.push(buffer);
          this.#set(place.buffer, buffer);
        }
        const { buffer, offset } = this.#at(place);
        session.write(buffer.buffer, offset, toElements(array));
      } else if (place.kind === 'buffer') {
        this.#set(place.buffer, array.place.buffer);
      } else {
        const { buffer: from, offset: at } = array.place;
        const { buffer: to, offset } = this.#at(place);
        stretches.push({ from, at, to, offset, bytes: tensorBytes(tensor) });
      }
    }
    return stretches;
  }

  #giveOutputs(): Record<string, BackendArray> {
    const { session, hold } = this.#parts;
    return Object.fromEntries(
      hold.value.compiled.program.outputs.map(({ name, tensor, place, reuses }) => {
        const { buffer, offset } = this.#at(place);
        // Buffers made by the program already have a reference; inputs and shared ones are retained once more.
        if (place.kind === 'small' || reuses !== undefined) buffer.hold();
        return [name, new WebgpuArray(session, { buffer, offset }, tensor)];
      }),
    );
  }
}

function copy(encoder: GPUCommandEncoder, { from, at, to, offset, bytes }: Stretch): void {
  if (bytes > 0) encoder.copyBufferToBuffer(from.buffer, at, to.buffer, offset, bytes);
}

/** Merges ranges that are adjacent in both buffers. */
function joinedStretches(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const next of stretches) {
    const last = joined.at(-1);
    const follows =
      last?.from === next.from &&
      last.to === next.to &&
      last.at + last.bytes === next.at &&
      last.offset + last.bytes === next.offset;
    if (follows) joined[joined.length - 1] = { ...last, bytes: last.bytes + next.bytes };
    else joined.push(next);
  }
  return joined;
}
