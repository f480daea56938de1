import { defineEstimator, requireFinished, type Estimator } from '@flow-matching/core';
import { DataError, hostArray, HostRandomStream, streams, type HostArray } from '@flow-matching/tensor';
import * as z from 'zod';
import { hostLogSumExp } from '../densities/hostLogSumExp.ts';
import { divergenceOptions } from './divergenceOptions.ts';
import { heldOut } from './drawSamples.ts';
import { likelihoodSolver, namedSolver } from './likelihoodSolver.ts';
import { meanWithError } from './statistics.ts';

/** Largest distance of a value from its level, in levels. */
const offGrid = 1e-2;

/** The scores of all copies are kept in memory. */
const largestCopies = 10_000;
/** Levels of 16-bit data. */
const largestLevels = 2 ** 16;

const options = z.strictObject({
  samples: z
    .int()
    .positive()
    .max(largestCopies)
    .default(1)
    .describe('Dequantized copies of each point; more of them tighten the bound'),
  levels: z.int().min(2).max(largestLevels).default(256).describe('Number of levels the data is quantized to'),
  grid: z
    .enum(['ends', 'edges'])
    .default('ends')
    .describe('Where the levels lie in [−1, 1]: from end to end, or at the lower edges of equal cells'),
  ...divergenceOptions,
});

/**
 * Bits per dimension of quantized held-out data with levels 0 … L − 1 on [−1, 1] (Lipman et al. 2023, appendix E.1). A level p
 * with u uniform on [0, 1) lies at y = 2(p + u)/L − 1, and a point of d dimensions takes
 *
 *     −log₂(1/K Σₖ p₁(y(u_k)))/d + log₂(L/2)
 *
 * bits, the importance-weighted bound of equation 47; log₂(L/2) is the cells' volume, 7 for 256 levels. With Hutchinson's
 * divergence and K > 1, the noise of the probes biases the logarithm of the sum. If the flow's solver is stochastic, dopri5 is
 * used.
 *
 * @throws DataError if the data is not quantized this way; SolverError if a solve does not reach its end.
 */
export const bitsPerDimension = defineEstimator({
  name: 'bpd',
  summary: 'Bits per dimension of quantized held-out data',
  options,
  create: ({ samples, levels, grid, ...divergence }): Estimator => ({
    name: 'bpd',
    async estimate(request) {
      const { flow, count, seed, signal, onProgress } = request;
      const { x1, condition } = await heldOut(request);
      const level = levelsOf(x1, levels, grid);
      const dimension = level.length / count;
      const random = new HostRandomStream(seed, streams.evaluation);
      const solver = likelihoodSolver(flow);
      const scores: Float64Array[] = [];
      let functionEvaluations = 0;
      for (let k = 0; k < samples; k++) {
        const points = dequantized(level, x1, levels, random);
        const scored = await flow.logLikelihood(points, {
          ...divergence,
          solver,
          // Different probes for each copy.
          seed: seed + k,
          condition,
          signal,
          onProgress: onProgress && ((done, total) => onProgress(k * total + done, samples * total)),
        });
        requireFinished(scored);
        scores.push(scored.logLikelihood);
        functionEvaluations = Math.max(functionEvaluations, scored.functionEvaluations);
      }
      const bits = scores[0].map(
        (_, n) => -logMeanExp(scores.map((score) => score[n])) / (dimension * Math.LN2) + Math.log2(levels / 2),
      );
      return {
        ...meanWithError(bits),
        count,
        unit: 'bits/dim',
        ...namedSolver(flow, solver),
        details: { functionEvaluations, samples },
      };
    },
  }),
});

/** The level of each value. @throws DataError naming the first value off the grid. */
function levelsOf({ data, shape }: HostArray, levels: number, grid: 'ends' | 'edges'): Float64Array {
  const cells = grid === 'ends' ? levels - 1 : levels;
  return Float64Array.from(data, (value, i) => {
    const place = ((value + 1) / 2) * cells;
    const level = Math.round(place);
    if (Math.abs(place - level) <= offGrid && level >= 0 && level < levels) return level;
    throw new DataError(
      `Value ${i % (data.length / shape[0])} of point ${Math.floor(i / (data.length / shape[0]))} is ${value}, which is none of ${levels} levels.`,
      {
        actual: value,
        expected: grid === 'ends' ? `2p/${levels - 1} − 1 for a whole p` : `2p/${levels} − 1 for a whole p`,
        remedy: "Check the options levels and grid, or score with 'nll'.",
      },
    );
  });
}

function dequantized(level: Float64Array, { shape }: HostArray, levels: number, random: HostRandomStream): HostArray {
  const within = random.uniform(shape).data;
  return hostArray(
    Float32Array.from(level, (p, i) => (2 * (p + within[i])) / levels - 1),
    shape,
  );
}

const logMeanExp = (values: readonly number[]): number => hostLogSumExp(values) - Math.log(values.length);
