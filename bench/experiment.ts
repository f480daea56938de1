import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Flow, type FlowParts } from '@flow-matching/core';
import { HostRandomStream, streams, type Backend, type HostArray } from '@flow-matching/tensor';
import { adam, checkerboard, createFlow, dopri5, mlp, optimalTransport } from '@flow-matching/plugins';
import { decodeSafetensors, encodeSafetensors } from '../packages/cli/src/checkpoint/safetensors.ts';

/** Where the bench keeps what it can make again. */
export const cacheFolder = fileURLToPath(new URL('.cache/', import.meta.url));

const largest = 4096;
const trainingSteps = 1500;
const inputsFile = `${cacheFolder}mlp-5x512-checkerboard-${trainingSteps}.safetensors`;

/** What all subjects share: weights of a trained field (weight [in, out] and bias of each layer), where samples start, points to score. */
export interface SharedInputs {
  readonly file: string;
  readonly parameters: Readonly<Record<string, HostArray>>;
  /** [4096, 2]; a work takes the first rows. */
  readonly source: HostArray;
  readonly points: HostArray;
}

/** The experiment that is timed: the paper's two-dimensional one, or what differs from it in some parts. */
export const benchFlow = (backend: Backend, parts: Partial<FlowParts> = {}): Promise<Flow> =>
  createFlow({
    backend,
    path: optimalTransport({ sigmaMin: 1e-5 }),
    model: mlp({ width: 512, depth: 5, activation: 'silu' }),
    solver: dopri5({ rtol: 1e-5, atol: 1e-5 }),
    ...parts,
  });

export const benchOptimizer = () => adam({ learningRate: 1e-3 });

/** The shared inputs from the cache, or made: solvers take other steps through an untrained field than through a trained one. */
export async function sharedInputs(backend: () => Promise<Backend>, retrain: boolean): Promise<SharedInputs> {
  if (retrain || !existsSync(inputsFile)) await makeInputs(await backend());
  const { tensors } = decodeSafetensors(inputsFile, readFileSync(inputsFile));
  const { source, points, ...parameters } = tensors;
  return { file: inputsFile, parameters, source, points };
}

async function makeInputs(backend: Backend): Promise<void> {
  console.log(`Training the shared weights: ${trainingSteps} steps of 512 points …`);
  await using flow = await benchFlow(backend);
  const data = checkerboard();
  const began = performance.now();
  let loss = Number.NaN;
  for await (const report of flow.train(data, {
    optimizer: benchOptimizer(),
    steps: trainingSteps,
    batchSize: 512,
    reportEvery: 500,
    seed: 0,
  })) {
    loss = report.loss;
  }
  console.log(`… loss ${loss.toFixed(3)} after ${((performance.now() - began) / 1000).toFixed(0)} s.`);
  const source = new HostRandomStream(0, streams.sampling).normal([largest, 2]);
  const { x1: points } = await data.batch({ index: 0, size: largest, seed: 1, split: 'test' });
  const file = { metadata: {}, tensors: { ...(await flow.parameters()), source, points } };
  mkdirSync(cacheFolder, { recursive: true });
  // Renamed into place, so that an interrupted run leaves no half of it.
  writeFileSync(`${inputsFile}.new`, Buffer.concat(encodeSafetensors(file)));
  renameSync(`${inputsFile}.new`, inputsFile);
}

/** The first `count` rows. */
export function firstRows({ data, shape, dtype }: HostArray, count: number): HostArray {
  const width = data.length / shape[0];
  return { data: data.slice(0, count * width), shape: [count, ...shape.slice(1)], dtype };
}
