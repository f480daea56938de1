import { hostPathCoefficients, pathCoefficients, type Path } from '@flow-matching/core';
import { constant, type Tensor } from '@flow-matching/tensor';
import { gaussianData } from './mixture.ts';

const [[...means], std] = [gaussianData.means[0], gaussianData.stds[0]];

/**
 * u_t of the suite's Gaussian data along any one-sided path with a mean proportional to the data, per coordinate: regressions on
 * x = a·x1 + σ·noise, whose variance is a²s² + σ². t is [rows], x [rows, 2].
 */
export function gaussianMarginal(
  path: Path,
  t: Tensor,
  x: Tensor,
): { field: Tensor; score: Tensor; logDensity: Tensor } {
  const { scale, std: sigma, scaleRate, stdRate } = pathCoefficients(path, t, x);
  const mean = constant([means]);
  const variance = scale.mul(std).square().add(sigma.square());
  const centred = x.sub(scale.mul(mean));
  const deviation = centred.div(variance);
  const data = mean.add(scale.mul(std ** 2).mul(deviation));
  return {
    field: scaleRate.mul(data).add(stdRate.mul(sigma.mul(deviation))),
    score: deviation.neg(),
    logDensity: centred
      .mul(deviation)
      .add(variance.mul(2 * Math.PI).log())
      .mul(-0.5)
      .sum(1),
  };
}

/** The map of that flow between the ends of the path's interval, in f64, by coordinate: z-scores are constant, so it is affine. */
export function gaussianTransport(path: Path): {
  /** Maps a coordinate forward. */
  forth: (value: number, d: number) => number;
  back: (value: number, d: number) => number;
  /** The factor by which distances grow, forward. */
  growth: readonly number[];
  /** The largest factor by which they grow between any time and the end, and any time and the start. */
  worstForth: number;
  worstBack: number;
} {
  const { start, end } = path.interval;
  const times = Array.from({ length: 65 }, (_, i) => Math.min(end, start + ((end - start) * i) / 64));
  const { scale, std: sigma } = hostPathCoefficients(path, times, [2]);
  const spread = scale.map((a, i) => Math.hypot(a * std, sigma[i]));
  const mean = scale.map((a, i) => a * means[i % 2]);
  const last = 128;
  const worst = (to: number): number => Math.max(...spread.map((own, i) => spread[to + (i % 2)] / own));
  return {
    forth: (value, d) => mean[last + d] + ((value - mean[d]) / spread[d]) * spread[last + d],
    back: (value, d) => mean[d] + ((value - mean[last + d]) / spread[last + d]) * spread[d],
    growth: [0, 1].map((d) => spread[last + d] / spread[d]),
    worstForth: worst(last),
    worstBack: worst(0),
  };
}
