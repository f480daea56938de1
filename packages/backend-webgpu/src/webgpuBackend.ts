import {
  checkAliases,
  checkElements,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostArray,
} from '@flow-matching/core';
import type { AdapterProfile } from './compiler/adapterProfile.ts';
import { webgpuManifest } from './lowering/index.ts';
import { BindGroups } from './runtime/bindGroups.ts';
import { compileGraph, type CompiledGraph } from './runtime/compiledGraph.ts';
import { DeviceSession } from './runtime/deviceSession.ts';
import { toElements } from './runtime/elements.ts';
import { WebgpuArray } from './runtime/webgpuArray.ts';
import { WebgpuExecutable } from './runtime/webgpuExecutable.ts';

interface Compilation {
  readonly compiled: Promise<CompiledGraph>;
  readonly bindGroups: BindGroups;
  /** Executables that share it. */
  holders: number;
}

/** Graphs as WGSL kernels on one device: a run is one command buffer. */
export class WebgpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly device: string;
  readonly manifest = webgpuManifest;
  readonly profile: AdapterProfile;
  readonly #session: DeviceSession;
  readonly #compilations = new Map<string, Compilation>();

  /** Takes over the device. `name` is what it runs on, for people. */
  constructor(device: GPUDevice, name: string, profile: AdapterProfile) {
    this.#session = new DeviceSession(device);
    this.device = name;
    this.profile = profile;
  }

  array(source: HostArray): BackendArray {
    this.#session.checkAlive();
    checkElements(source);
    const elements = toElements(source);
    const buffer = this.#session.pool.take(elements.byteLength);
    this.#session.write(buffer.buffer, 0, elements);
    return new WebgpuArray(this.#session, { buffer, offset: 0 }, source);
  }

  async compile(graph: Graph, { aliases = [] }: CompileOptions = {}): Promise<Executable> {
    this.#session.checkAlive();
    checkAliases(graph, { aliases });
    const key = `${graph.hash} ${JSON.stringify(aliases)}`;
    const compilation = this.#compilations.get(key) ?? {
      compiled: compileGraph(this.#session, graph, aliases, this.profile),
      bindGroups: new BindGroups(this.#session),
      holders: 0,
    };
    this.#compilations.set(key, compilation);
    compilation.holders++;
    const release = (): void => {
      if (--compilation.holders > 0) return;
      this.#compilations.delete(key);
      void compilation.compiled.then((compiled) => compiled.dispose());
    };
    try {
      const compiled = await compilation.compiled;
      const { bindGroups } = compilation;
      return new WebgpuExecutable({ session: this.#session, graph, aliases, compiled, bindGroups, bound: {}, release });
    } catch (error) {
      compilation.holders--;
      this.#compilations.delete(key);
      throw error;
    }
  }

  /** Waits for the work under way. The device is destroyed: arrays are no longer readable. */
  async dispose(): Promise<void> {
    await this.#session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
