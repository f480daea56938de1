import { createContainer, FILES, PluginRegistry, type PluginSpec } from '@flow-matching/core';
import { hostArray, type HostArray } from '@flow-matching/tensor';
import { builtinPlugins } from '@flow-matching/plugins';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../../packages/cli/src/checkpoint/checkpoint.ts';
import { CheckpointStore } from '../../packages/cli/src/checkpoint/checkpointStore.ts';
import { decodeSafetensors, encodeSafetensors } from '../../packages/cli/src/checkpoint/safetensors.ts';
import { namedBackend } from '../../packages/cli/src/conformance/subject.ts';
import { createRootContainer } from '../../packages/cli/src/container/createRootContainer.ts';
import { loadExperiment } from '../../packages/cli/src/experiment/assembleExperiment.ts';
import { partNames, parts } from '../../packages/cli/src/experiment/experiment.ts';
import { parseSetting } from '../../packages/cli/src/experiment/parseSetting.ts';
import { MetricsLog } from '../../packages/cli/src/run/metricsLog.ts';
import { RunLock } from '../../packages/cli/src/run/runLock.ts';
import { parseFormula } from '../../packages/plugins/src/paths/formula.ts';

/** A format: samples that are read without complaint, and its reader. */
export interface FuzzTarget {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  read(bytes: Uint8Array): unknown;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

const experiments = [
  'name: a\ndata: { name: moons }\nmodel: { name: mlp, width: 32, depth: 2 }\ntraining: { steps: 50, batchSize: 64, ema: 0.9 }\nsolver: { name: midpoint, steps: 8 }\n',
  'data: &d\n  name: gaussian-mixture\n  means: [[1, 2], [3, 4]]\npath:\n  name: custom\n  mean: "t * x1"\n  std: "1 - (1 - s) * t"\n  constants: { s: 0.1 }\nseed: 7\n',
  'defaults: &m { width: 8 }\ndata: { name: pair, source: gaussian, target: moons }\nmodel: { <<: { width: 8 }, name: mlp }\noptimizer: { name: adam, schedule: { name: cosine, warmup: 5 } }\ncoupling: minibatch-optimal-transport\nplugins: []\n',
];

const tables = [
  'x,y\n1,2\n3.5,-4e-2\n-5,6\n',
  '# made\n"x";"y"\n"1";"2"\n3;4\n',
  '1 2 3\n4 5 6\n7 8 9\n',
  '1.0D+00,2\r\n3,4\r\n',
];

function npy(descr: string, order: string, shape: string, data: ArrayBufferView, version = 1): Uint8Array {
  const header = bytes(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`);
  const length = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  const body = new Uint8Array(data.buffer);
  return Uint8Array.from([0x93, ...bytes('NUMPY'), version, 0, ...length, ...header, ...body]);
}

const metadata = { format: 'pt', made: 'here' };
const tensors: Record<string, HostArray> = {
  'a.weight': hostArray(Float32Array.of(1, 2, 3, 4), [2, 2]),
  half: { data: Float32Array.of(1, 2), shape: [2], dtype: 'f16' },
  flags: hostArray([1, 0, 1], [3], 'bool'),
};
const checkpoint: Checkpoint = {
  state: { step: 12, parameters: tensors, optimizer: { m: hostArray([1, 2], [2]) }, skipped: 0 },
  seed: 1,
  experiment: 'abc',
  context: { shape: [2] },
};
const joined = (data: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(data));

/** The formats and the experiment language, with the readers that the command has for them. `folder` holds files while they are read. */
export function fuzzTargets(folder: string): readonly FuzzTarget[] {
  const experiment = async (name: string, data: Uint8Array, settings: readonly string[] = []): Promise<void> => {
    const file = join(folder, name);
    await writeFile(file, data);
    const loaded = await loadExperiment(createRootContainer(), file, settings.map(parseSetting));
    const registry = new PluginRegistry(loaded.container);
    for (const part of partNames) {
      // A backend takes the machine; the others are made of their options.
      if (part !== 'backend') await registry.build(parts[part].kind, loaded.experiment[part]);
    }
  };
  const points = (file: string) => async (data: Uint8Array) => {
    const container = createContainer(builtinPlugins);
    container.bind(FILES).toConstantValue({ read: async () => data });
    const spec: PluginSpec = { name: 'points', file };
    const dataset = await new PluginRegistry(container).build('dataset', spec);
    const { x1 } = await dataset.batch({ index: 0, size: 3, seed: 0 });
    if (!x1.data.every(Number.isFinite)) throw new Error(`${file} was read, and is not finite`);
  };
  return [
    { name: 'experiment.yaml', samples: experiments.map(bytes), read: async (data) => experiment('e.yaml', data) },
    {
      name: 'experiment.json',
      samples: ['{"data":{"name":"moons"},"seed":3,"model":{"name":"mlp","width":8},"training":{"steps":5}}'].map(
        bytes,
      ),
      read: async (data) => experiment('e.json', data),
    },
    {
      name: '--set',
      samples: [
        'model.width=128',
        'data.means.0=[5, 6]',
        'optimizer={ name: adam, learningRate: 1e-3 }',
        'plugins=[]',
        'seed=.inf',
      ].map(bytes),
      read: async (data) => experiment('s.yaml', bytes(experiments[1]), [textOf(data)]),
    },
    {
      name: 'conformance --set',
      samples: ['backend.threads=1', 'backend.session.a=2', 'backend.__proto__.x=1'].map(bytes),
      read: (data) => {
        namedBackend(createRootContainer(), 'reference', [parseSetting(textOf(data))]);
      },
    },
    {
      name: 'formula',
      samples: [
        't * x1',
        '-t^2 + sin(pi*t/2) * x1',
        'pow(max(t, 0.1), -1.5e0) - (1 - s) * t',
        'log1p(abs(x1)) / e',
      ].map(bytes),
      read: (data) => parseFormula(textOf(data), ['t', 'x1', 's'], 'it')({ t: 0.5, x1: 2, s: 0.1 }),
    },
    { name: '.csv', samples: tables.map(bytes), read: points('d.csv') },
    {
      name: '.npy',
      samples: [
        npy("'<f4'", 'False', '(2, 2)', Float32Array.of(1, 2, 3, 4)),
        npy("'>i8'", 'True', '(2, 1, 2)', BigInt64Array.of(1n, 2n, 3n, 4n), 2),
        npy("'|b1'", 'False', '(4,)', Uint8Array.of(1, 0, 1, 0), 3),
        npy("'<f2'", 'True', '(2L, 2L)', Uint16Array.of(0x3c00, 0, 1, 2)),
      ],
      read: points('d.npy'),
    },
    {
      name: '.safetensors',
      samples: [joined(encodeSafetensors({ metadata, tensors })), joined(encodeCheckpoint(checkpoint))],
      read: (data) => decodeSafetensors('s', data),
    },
    {
      name: 'checkpoint with a right checksum',
      samples: [bytes(JSON.stringify({ step: 12, skipped: 0, seed: 1, experiment: 'abc', context: { shape: [2] } }))],
      read: (data) => {
        const { step, skipped, seed, experiment: hash, context } = orTyped(() => JSON.parse(textOf(data)) ?? {});
        const state = { ...checkpoint.state, step, skipped };
        decodeCheckpoint('c', joined(encodeCheckpoint({ state, seed, experiment: String(hash), context })));
      },
    },
    {
      name: 'latest',
      samples: [bytes('12.safetensors\n')],
      read: async (data) => {
        const store = new CheckpointStore(join(folder, 'checkpoints'));
        await store.save(checkpoint);
        await writeFile(join(folder, 'checkpoints', 'latest'), data);
        await store.latest();
      },
    },
    {
      name: 'metrics.jsonl',
      samples: [
        bytes('{"step":5,"loss":1.5,"learningRate":0.1,"skipped":0,"seconds":1}\n{"step":10,"loss":1,"seconds":2}\n'),
      ],
      read: async (data) => {
        await writeFile(join(folder, 'metrics.jsonl'), data);
        await (await MetricsLog.open(join(folder, 'metrics.jsonl'), 7, () => {}))[Symbol.asyncDispose]();
      },
    },
    {
      name: 'lock',
      samples: [bytes('{"pid":999999999,"host":"elsewhere","started":"2026-01-01"}')],
      read: async (data) => {
        await mkdir(join(folder, 'run'), { recursive: true });
        await writeFile(join(folder, 'run', 'lock'), data);
        try {
          await (await RunLock.acquire(join(folder, 'run', 'lock'), join(folder, 'run')))[Symbol.asyncDispose]();
        } finally {
          await rm(join(folder, 'run'), { recursive: true, force: true });
        }
      },
    },
  ];
}

/** What the test itself cannot read is no case. */
function orTyped<T>(make: () => T): T {
  try {
    return make();
  } catch {
    return {} as T;
  }
}
