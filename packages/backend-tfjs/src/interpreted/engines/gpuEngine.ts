import type { EngineKind } from './engine.ts';
import { importTfjs, makeRegistered } from './importTfjs.ts';
import { notOnHost } from './notOnHost.ts';

interface GpuEngine extends Pick<EngineKind, 'name' | 'unfit' | 'absent'> {
  /** Operators composed of others on this engine, besides those of every GPU engine. */
  readonly decomposed?: EngineKind['decomposed'];
  readonly load: () => Promise<unknown>;
}

/** An engine with GPU memory. */
export function gpuEngine({ load, decomposed, ...engine }: GpuEngine): EngineKind {
  const kind: EngineKind = {
    ...engine,
    onHost: false,
    caveat: 'integers pass through floats, exact up to 2²⁴',
    decomposed: {
      Cos: 'the kernel may be off by 2⁻¹¹',
      Erf: 'the kernel loses digits near 0',
      Expm1: 'the kernel is exp(x) − 1',
      Log: 'the kernel is finite at 0',
      Log1p: 'the kernel is log(1 + x)',
      Pow: 'the kernel gets NaN wrong',
      Sin: 'the kernel may be off by 2⁻¹¹',
      Tanh: 'the kernel loses digits near 0',
      ...decomposed,
    },
    async start() {
      await importTfjs(`@tensorflow/tfjs-backend-${engine.name}`, load);
      return { kind, device: engine.name, backend: await makeRegistered(engine.name), elements: notOnHost };
    },
  };
  return kind;
}
