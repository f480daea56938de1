import {
  checkAliases,
  checkElements,
  checkHeld,
  dtypesOf,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type DType,
  type Graph,
  type HostArray,
  type Manifest,
} from '@flow-matching/core';
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
  readonly compiled: Promise<CompiledGraph>;
  readonly bindGroups: BindGroups;
  readonly timer: Promise<KernelTimer | undefined>;
  /** Executables that share it. */
  holders: number;
}

/** Graphs as WGSL kernels on one device: a run is one command buffer. */
export class WebgpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly device: string;
  readonly manifest: Manifest;
  readonly profile: AdapterProfile;
  readonly #held: ReadonlySet<DType>;
  readonly #session: DeviceSession;
  readonly #compilations = new Map<string, Compilation>();

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

  /** Pipelines made so far: one for each different kernel. */
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
    const key = `${graph.hash} ${JSON.stringify(aliases)}`;
    const compilation = this.#compilations.get(key) ?? this.#begin(graph, aliases);
    this.#compilations.set(key, compilation);
    // Held meanwhile, because another caller may dispose the last executable.
    const release = this.#hold(key, compilation);
    try {
      const [compiled, timer] = await Promise.all([compilation.compiled, compilation.timer]);
      return new WebgpuExecutable({
        session: this.#session,
        graph,
        aliases,
        compiled,
        bindGroups: compilation.bindGroups,
        timer,
        bound: {},
        hold: () => this.#hold(key, compilation),
      });
    } finally {
      release();
    }
  }

  #begin(graph: Graph, aliases: NonNullable<CompileOptions['aliases']>): Compilation {
    const compiled = compileGraph(this.#session, graph, aliases, this);
    const timer = compiled.then(({ program: { kernels } }) =>
      this.#timed && kernels.length > 0 ? new KernelTimer(this.#session, kernels.length) : undefined,
    );
    return { compiled, timer, bindGroups: new BindGroups(this.#session), holders: 0 };
  }

  /** What was compiled stays as long as an executable of it. */
  #hold(key: string, compilation: Compilation): () => void {
    compilation.holders++;
    return () => {
      if (--compilation.holders > 0) return;
      if (this.#compilations.get(key) === compilation) this.#compilations.delete(key);
      const nothing = (): void => undefined;
      void compilation.compiled.then((compiled) => compiled.dispose(), nothing);
      void compilation.timer.then((timer) => timer?.dispose(), nothing);
    };
  }

  /** Waits for submitted work, then destroys the device: arrays are no longer readable. */
  async dispose(): Promise<void> {
    await this.#session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
