import { HandleBackend, type CompileOptions, type Graph, type HostArray } from '@flow-matching/tensor';
import type { AdapterProfile } from './compiler/adapterProfile.ts';
import { webgpuManifest } from './lowering/index.ts';
import { read, upload, type ArrayPlace } from './runtime/arrayPlace.ts';
import { CompiledGraph } from './runtime/compiledGraph.ts';
import { DeviceSession } from './runtime/deviceSession.ts';
import type { OpenedDevice } from './runtime/openDevice.ts';
import { WebgpuExecutable } from './runtime/webgpuExecutable.ts';

/** Runs graphs as WGSL kernels on one device; a run is one command buffer. */
export class WebgpuBackend extends HandleBackend<ArrayPlace, HostArray> {
  readonly profile: AdapterProfile;
  readonly #session: DeviceSession;

  /** Takes over the device, which is destroyed with the backend. */
  constructor({ device, name, profile }: OpenedDevice, { debug = false }: { readonly debug?: boolean } = {}) {
    const session = new DeviceSession(device);
    const manifest = webgpuManifest(profile);
    const timed = debug && device.features.has('timestamp-query');
    super({
      name: 'webgpu',
      device: name,
      manifest,
      memory: session,
      order: 'device',
      upload: (source) => upload(session, source),
      // A run writes host arrays to the buffer that its kernels read.
      borrow: (source) => source,
      read: (place, type) => read(session, place, type),
      free: ({ buffer }) => buffer.release(),
      failure: () => session.failure,
      compile: (graph, { aliases }) => CompiledGraph.create(session, graph, { aliases, profile, manifest, timed }),
      dispose: () => session.dispose(),
    });
    this.profile = profile;
    this.#session = session;
  }

  /** Number of pipelines created so far: one for each different kernel. */
  get pipelineCount(): number {
    return this.#session.pipelineCount;
  }

  override async compile(graph: Graph, options?: CompileOptions): Promise<WebgpuExecutable> {
    return new WebgpuExecutable(await this.compileHandle(graph, options));
  }
}
