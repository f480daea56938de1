import type { PluginKind, PluginSpec } from '@flow-matching/core';
import { largestBatch, largestCount } from '@flow-matching/tensor';
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
  /** Decay of the moving average of the parameters. Default: no average. */
  readonly ema?: number | undefined;
}

/** The parts supplied by plugins: their kind, and the default if the file names none. Data has no default. */
export const parts = {
  data: { kind: 'dataset', fallback: undefined, description: 'Data to learn' },
  path: { kind: 'path', fallback: 'optimal-transport', description: 'Probability path from noise to data' },
  coupling: { kind: 'coupling', fallback: 'independent', description: 'How noise and data points are paired' },
  objective: {
    kind: 'objective',
    fallback: 'conditional-flow-matching',
    description: 'Regression that the training minimizes',
  },
  timeSampler: { kind: 'timeSampler', fallback: 'uniform', description: 'Distribution of the training times' },
  model: { kind: 'model', fallback: 'mlp', description: 'Network that is trained' },
  optimizer: { kind: 'optimizer', fallback: 'adam', description: 'Optimizer and schedule of its learning rate' },
  solver: { kind: 'solver', fallback: 'dopri5', description: 'Solver for sampling and likelihoods' },
  backend: { kind: 'backend', fallback: 'onnx', description: 'What the computations run on' },
} as const satisfies Record<string, { kind: PluginKind; fallback: string | undefined; description: string }>;
export type PartName = keyof typeof parts;
export const partNames = Object.keys(parts) as PartName[];

/** Everything except the parts. */
export const frameSchema = z.strictObject({
  name: z
    .string()
    .regex(/^\P{Cc}+$/u, 'expected a text without control characters')
    .max(1000)
    .exactOptional()
    .describe('Name of the runs; by default the name of the file without its ending'),
  seed: z.int().min(0).default(0).describe('Seed of the initial parameters and of every random draw'),
  ...(Object.fromEntries(
    partNames.map((name) => [name, z.unknown().optional().describe(parts[name].description)]),
  ) as Record<PartName, z.ZodOptional<z.ZodUnknown>>),
  training: z
    .strictObject({
      steps: z.int().positive().max(largestCount).default(4000).describe('Number of updates'),
      batchSize: z.int().positive().max(largestBatch).default(1024).describe('Points per update'),
      checkpointEvery: z.int().positive().max(largestCount).default(1000).describe('Updates between two checkpoints'),
      reportEvery: z
        .int()
        .positive()
        .max(largestCount)
        .default(50)
        .describe('Updates between two lines of metrics.jsonl'),
      ema: z
        .number()
        .gt(0)
        .lt(1)
        .exactOptional()
        .describe('Decay of a moving average of the parameters, which is then sampled and scored; none by default'),
    })
    .prefault({})
    .describe('Length of the training, checkpoints and reports'),
  plugins: z
    .array(z.string().min(1))
    .default([])
    .describe('Modules with plugins of your own: packages, or paths relative to the experiment file'),
  environment: z
    .looseObject({
      directory: z.string().exactOptional(),
      hash: z.string().exactOptional(),
      backend: z.string().exactOptional(),
      files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })).exactOptional(),
    })
    .exactOptional()
    .describe("Written into a run's copy of the experiment: where the experiment came from and what it ran on"),
});
