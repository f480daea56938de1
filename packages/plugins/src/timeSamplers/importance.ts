import {
  defineTimeSampler,
  pathCoefficients,
  pointShape,
  requireProportionalMean,
  type Path,
  type TimeSampler,
} from '@flow-matching/core';
import { constant, evaluateGraph, f32, floor, gather, minimum, ones, trace, type Shape } from '@flow-matching/tensor';
import * as z from 'zod';
import { signalToNoiseRate } from '../objectives/signalToNoiseRate.ts';

/** Number of cells of equal probability in the density of times. */
const cells = 1024;

/**
 * Times drawn with a density proportional to g²/σ² = d/dt log(a²/σ²), the rate of the path's signal-to-noise ratio: uniform in
 * log signal-to-noise, where ScoreFlow's likelihood weight varies least (Song et al. 2021, section 5.1). Each loss is weighted
 * by the inverse density, so expectations equal those with uniform times.
 *
 * The density is constant on each of 1024 cells, and the weight is that of the cell, so the expectation is exact, however
 * coarse the cells.
 */
export const importance = defineTimeSampler({
  name: 'importance',
  summary: "Uniform in log signal-to-noise, weighted back; ScoreFlow's choice",
  options: z.strictObject({
    uniformShare: z
      .float32()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe('Fraction of the times drawn uniformly, which bounds the importance weights by its inverse'),
  }),
  create: ({ uniformShare }): TimeSampler => ({
    name: 'importance',
    sample(uniform, path) {
      const bounds = cellBounds(path, uniformShare);
      const widths = bounds.slice(1).map((bound, i) => bound - bounds[i]);
      const scaled = uniform.mul(cells);
      const cell = minimum(floor(scaled), cells - 1);
      const index = cell.cast('i32');
      const width = gather(constant(widths), index);
      const t = gather(constant(bounds.slice(0, -1)), index).add(scaled.sub(cell).mul(width));
      return { t: minimum(t, 1), weight: width.mul(cells) };
    },
  }),
});

/** Ends of the cells on [0, 1], ascending: quantiles of the density. */
function cellBounds(path: Path, uniformShare: number): number[] {
  const shape = pointShape(path);
  requireProportionalMean(path, "time sampler 'importance'", shape);
  const nodes = crowdedNodes();
  const rates = signalToNoiseRates(path, nodes, shape);
  const steps = nodes.slice(1).map((node, i) => (node - nodes[i]) * 0.5 * (rates[i] + rates[i + 1]));
  const total = steps.reduce((sum, step) => sum + step, 0);
  let reached = 0;
  const cumulative = nodes.map((node, i) => {
    reached += i === 0 ? 0 : steps[i - 1];
    return (1 - uniformShare) * (reached / total) + uniformShare * node;
  });
  return quantiles(nodes, cumulative);
}

/** Rates at times given as fractions of the path's interval, averaged over the dimensions of a point; positive. */
function signalToNoiseRates(path: Path, nodes: readonly number[], shape: Shape): number[] {
  const { start, end } = path.interval;
  const times = Float64Array.from(nodes, (node) => start * (1 - node) + end * node);
  const points = [times.length, ...shape];
  const graph = trace(
    ({ t }) => {
      const rate = signalToNoiseRate(pathCoefficients(path, t, ones(points))).expand(points);
      return { rate: rate.mean(shape.map((_, i) => i + 1)) };
    },
    { t: f32([times.length]) },
  );
  const { rate } = evaluateGraph(graph, { t: { data: times, shape: [times.length], dtype: 'f32' } });
  return Array.from(rate.data, (value) => Math.max(Math.abs(value), Number.MIN_VALUE));
}

/** [0, 1] with steps that shrink by a twelfth each towards both ends, where rates grow without bound. */
function crowdedNodes(): number[] {
  const half = Array.from({ length: 200 }, (_, i) => 0.5 * (11 / 12) ** (199 - i));
  return [
    0,
    ...half,
    ...half
      .toReversed()
      .slice(1)
      .map((node) => 1 - node),
    1,
  ];
}

/** The points where a piecewise linear increasing function on [0, 1] reaches k/cells. */
function quantiles(nodes: readonly number[], values: readonly number[]): number[] {
  let i = 0;
  const inner = Array.from({ length: cells - 1 }, (_, k) => {
    const level = (k + 1) / cells;
    while (values[i + 1] < level) i++;
    return nodes[i] + ((level - values[i]) / (values[i + 1] - values[i])) * (nodes[i + 1] - nodes[i]);
  });
  return [0, ...inner, 1];
}
