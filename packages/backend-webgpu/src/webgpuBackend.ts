import {
  checkAliases,
  checkElements,
  checkHeld,
  dtypesOf,
  SharedCompilations,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type DType,
  type Graph,
  type HostArray,
  type Manifest,
} from '@flow-matching/tensor';
import type { AdapterProfile } from './compiler/adapterProfile.ts';
import { webgpuManifest } from './lowering/index.ts';
import { BindGroups } from './runtime/bindGroups.ts';
import { compileGraph, type CompiledGraph } from './runtime/compiledGraph.ts';
import { DeviceSession } from './runtime/deviceSession.ts';
import { toElements } from './runtime/elements.ts';
import { KernelTimer } from './runtime/kernelTimer.ts';
import type { OpenedDevice } from './runtime/openDevice.ts';
import { WebgpuArray } from './runtime/webgpuArray.ts';
import { WebgpuExecutable } from './runtime/webgpuExecutable.ts';

interface Compilation {
  readonly compiled: CompiledGraph;
  readonly bindGroups: BindGroups;
  /** Present if kernels are timed. */
  readonly timer: KernelTimer | undefined;
}

/** Runs graphs as WGSL kernels on one device; a run is one command buffer. */
export class WebgpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly device: string;
  readonly manifest: Manifest;
  readonly profile: AdapterProfile;
  readonly #held: ReadonlySet<DType>;
  readonly #session: DeviceSession;
  readonly #compilations = new SharedCompilations<Compilation>(({ compiled, timer }) => {
    compiled.dispose();
    timer?.dispose();
  });

  readonly #timed: boolean;

  /** Takes over the device. */
  constructor({ device, name, profile }: OpenedDevice, { debug = false }: { readonly debug?: boolean } = {}) {
    this.#session = new DeviceSession(device);
    this.#timed = debug && device.features.has('timestamp-query');
    this.device = name;
    this.profile = profile;
    this.manifest = webgpuManifest(profile);
    this.#held = dtypesOf(this.manifest);
  }

  /** Number of pipelines created so far: one for each different kernel. */
  get pipelineCount(): number {
    return this.#session.pipelineCount;
  }

  array(source: HostArray): BackendArray {
    this.#session.checkAlive();
    checkElements(source);
    checkHeld(source, this.name, this.#held);
    const elements = toElements(source);
    const buffer = this.#session.pool.take(elements.byteLength);
    this.#session.write(buffer.buffer, 0, elements);
    return new WebgpuArray(this.#session, { buffer, offset: 0 }, source);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<WebgpuExecutable> {
    this.#session.checkAlive();
    checkAliases(graph, { aliases });
    const hold = await this.#compilations.acquire(graph, { aliases }, async () => {
      const compiled = await compileGraph(this.#session, graph, aliases, this);
      const { length } = compiled.program.kernels;
      const timer = this.#timed && length > 0 ? new KernelTimer(this.#session, length) : undefined;
      return { compiled, timer, bindGroups: new BindGroups(this.#session) };
    });
    return new WebgpuExecutable({ session: this.#session, graph, aliases, hold, bound: {} });
  }

  /** Destroys the device and everything on it. */
  async dispose(): Promise<void> {
    await this.#session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
