import type { Metrics } from '../run/metricsLog.ts';

/** Successive reports, drawn as one point. */
export interface LossBucket {
  /** Mean step of the reports. */
  readonly step: number;
  /** Of the finite losses; NaN if there are none. */
  readonly least: number;
  readonly mean: number;
  readonly most: number;
}

/** Reports in at most `limit` buckets of about equal size, in order. A picture cannot show more, and extremes are kept. */
export function lossBuckets(metrics: readonly Metrics[], limit: number): LossBucket[] {
  const count = Math.min(limit, metrics.length);
  const edge = (bucket: number): number => Math.round((bucket * metrics.length) / count);
  return Array.from({ length: count }, (_, i) => bucketOf(metrics.slice(edge(i), edge(i + 1))));
}

function bucketOf(reports: readonly Metrics[]): LossBucket {
  let [steps, sum, finite, least, most] = [0, 0, 0, Infinity, -Infinity];
  for (const { step, loss } of reports) {
    steps += step;
    if (!Number.isFinite(loss)) continue;
    finite++;
    sum += loss;
    least = Math.min(least, loss);
    most = Math.max(most, loss);
  }
  const step = steps / reports.length;
  return finite === 0 ? { step, least: NaN, mean: NaN, most: NaN } : { step, least, mean: sum / finite, most };
}
