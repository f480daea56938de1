import type { PluginKind, PluginSpec } from '@flow-matching/core';
import * as z from 'zod';

/** A whole experiment: every part a registered plugin with its options, defaults filled in. */
export interface Experiment {
  readonly name: string;
  readonly seed: number;
  readonly data: PluginSpec;
  readonly path: PluginSpec;
  readonly coupling: PluginSpec;
  readonly objective: PluginSpec;
  readonly timeSampler: PluginSpec;
  readonly model: PluginSpec;
  readonly optimizer: PluginSpec;
  readonly training: TrainingSettings;
  readonly solver: PluginSpec;
  readonly backend: PluginSpec;
  /** Module specifiers of third-party plugins, relative to the experiment's folder. */
  readonly plugins: readonly string[];
}

export interface TrainingSettings {
  /** Number of updates. */
  readonly steps: number;
  readonly batchSize: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
  /** Steps between two lines of metrics.jsonl. */
  readonly reportEvery: number;
  /** Decay of the moving average of the parameters; none where absent. */
  readonly ema?: number | undefined;
}

/** The parts that plugins supply: of which kind, and which one where the file names none. Data has no default. */
export const parts = {
  data: { kind: 'dataset', fallback: undefined },
  path: { kind: 'path', fallback: 'optimal-transport' },
  coupling: { kind: 'coupling', fallback: 'independent' },
  objective: { kind: 'objective', fallback: 'conditional-flow-matching' },
  timeSampler: { kind: 'timeSampler', fallback: 'uniform' },
  model: { kind: 'model', fallback: 'mlp' },
  optimizer: { kind: 'optimizer', fallback: 'adam' },
  solver: { kind: 'solver', fallback: 'dopri5' },
  backend: { kind: 'backend', fallback: 'onnx' },
} as const satisfies Record<string, { kind: PluginKind; fallback: string | undefined }>;
export type PartName = keyof typeof parts;
export const partNames = Object.keys(parts) as PartName[];

/** Everything but the parts. */
export const frameSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u, 'expected letters, digits, dots, dashes and underscores')
    .exactOptional(),
  seed: z.int().min(0).default(0),
  ...(Object.fromEntries(partNames.map((name) => [name, z.unknown().optional()])) as Record<
    PartName,
    z.ZodOptional<z.ZodUnknown>
  >),
  training: z
    .strictObject({
      steps: z.int().positive().default(4000),
      batchSize: z.int().positive().default(1024),
      checkpointEvery: z.int().positive().default(1000),
      reportEvery: z.int().positive().default(50),
      ema: z.number().gt(0).lt(1).exactOptional(),
    })
    .prefault({}),
  plugins: z.array(z.string().min(1)).default([]),
  /** What a run directory's copy adds: where the experiment came from, and what it ran on. */
  environment: z
    .looseObject({
      directory: z.string().exactOptional(),
      hash: z.string().exactOptional(),
      backend: z.string().exactOptional(),
    })
    .exactOptional(),
});
