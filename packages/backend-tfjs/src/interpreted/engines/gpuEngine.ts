import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';
import { notOnHost } from './notOnHost.ts';

interface GpuEngine extends Pick<EngineKind, 'name' | 'unfit' | 'absent'> {
  /** Operators made of others on this engine, besides those of every GPU. */
  readonly decomposed?: EngineKind['decomposed'];
  readonly load: () => Promise<unknown>;
}

/** An engine whose memory is a GPU's. */
export function gpuEngine({ load, decomposed, ...engine }: GpuEngine): EngineKind {
  const kind: EngineKind = {
    ...engine,
    onHost: false,
    decomposed: {
      Cos: 'the kernel may be off by 2⁻¹¹',
      Expm1: 'the kernel is exp(x) − 1',
      Log1p: 'the kernel is log(1 + x)',
      Sin: 'the kernel may be off by 2⁻¹¹',
      ...decomposed,
    },
    async start() {
      await importTfjs(`@tensorflow/tfjs-backend-${engine.name}`, load);
      return { kind, device: engine.name, backend: await makeRegistered(engine.name), elements: notOnHost };
    },
  };
  return kind;
}
