import type { Binding } from '../compiler/program.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';

/** Number of buffer combinations kept per kernel: a double-buffered state has two. */
const mostKept = 4;

/** Bind groups of a program's kernels, by their buffers. */
export class BindGroups {
  readonly #session: DeviceSession;
  readonly #known: Map<string, GPUBindGroup>[] = [];

  constructor(session: DeviceSession) {
    this.#session = session;
  }

  of(kernel: number, bindings: readonly Binding[], buffers: readonly DeviceBuffer[]): GPUBindGroup {
    const known = (this.#known[kernel] ??= new Map());
    const key = buffers.map(({ id }) => id).join();
    const group =
      known.get(key) ??
      this.#session.device.createBindGroup({
        layout: this.#session.layoutOf(bindings).group,
        entries: bindings.map(({ bytes }, binding) => ({
          binding,
          resource: { buffer: buffers[binding].buffer, size: bytes },
        })),
      });
    // The most recently used one is kept longest.
    known.delete(key);
    known.set(key, group);
    if (known.size > mostKept) known.delete(known.keys().next().value!);
    return group;
  }
}
