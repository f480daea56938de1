import type { HostArray } from '@flow-matching/tensor';
import { bufferKey, type BufferReference, type Place } from '../compiler/program.ts';
import { bufferBytes, smallElementBytes, tensorBytes } from '../memory/tensorBytes.ts';
import type { ArrayPlace } from './arrayPlace.ts';
import type { CompiledGraph } from './compiledGraph.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { toElements } from './elements.ts';

/** Inputs of a run: arrays on the device, and host arrays to upload. */
export type ProgramInputs = Readonly<Record<string, ArrayPlace | HostArray>>;

/** A range of bytes to copy from one buffer to another. */
interface Stretch {
  readonly from: DeviceBuffer;
  readonly at: number;
  readonly to: DeviceBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** One run: its buffers, its uploads and its commands. */
export class ProgramRun {
  readonly #session: DeviceSession;
  readonly #compiled: CompiledGraph;
  readonly #given: ProgramInputs;
  readonly #buffers = new Map<string, DeviceBuffer>();
  /** Buffers retained for this run only. */
  readonly #temporary: DeviceBuffer[] = [];
  readonly #small: DeviceBuffer | undefined;

  constructor(session: DeviceSession, compiled: CompiledGraph, given: ProgramInputs) {
    this.#session = session;
    this.#compiled = compiled;
    this.#given = given;
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

  #at(place: Place): ArrayPlace {
    return place.kind === 'small'
      ? { buffer: this.#small!, offset: place.offset * smallElementBytes }
      : { buffer: this.#get(place.buffer), offset: 0 };
  }

  /** Queues the run on the device as one command buffer. */
  submit(): Record<string, ArrayPlace> {
    try {
      return this.#submit();
    } finally {
      for (const buffer of this.#temporary) buffer.release();
      this.#small?.release();
    }
  }

  #submit(): Record<string, ArrayPlace> {
    const session = this.#session;
    const { program } = this.#compiled;
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
    return this.#giveOutputs();
  }

  /** All kernels in one pass, or each in its own if they are timed. */
  #dispatch(encoder: GPUCommandEncoder): void {
    const { program, pipelines, bindGroups, timer } = this.#compiled;
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
    const session = this.#session;
    const stretches: Stretch[] = [];
    for (const { name, tensor, place } of this.#compiled.program.inputs) {
      const array = this.#given[name];
      if ('data' in array) {
        if (place.kind === 'buffer') {
          const buffer = session.pool.take(bufferBytes(tensor));
          this.#temporary.push(buffer);
          this.#set(place.buffer, buffer);
        }
        const { buffer, offset } = this.#at(place);
        session.write(buffer.buffer, offset, toElements(array));
      } else if (place.kind === 'buffer') {
        this.#set(place.buffer, array.buffer);
      } else {
        const { buffer: from, offset: at } = array;
        const { buffer: to, offset } = this.#at(place);
        stretches.push({ from, at, to, offset, bytes: tensorBytes(tensor) });
      }
    }
    return stretches;
  }

  #giveOutputs(): Record<string, ArrayPlace> {
    return Object.fromEntries(
      this.#compiled.program.outputs.map(({ name, place, reuses }) => {
        const { buffer, offset } = this.#at(place);
        // Buffers made by the program already have a reference; inputs and shared ones are retained once more.
        if (place.kind === 'small' || reuses !== undefined) buffer.hold();
        return [name, { buffer, offset }];
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
