import { gaussianPath, type Objective } from '@flow-matching/core';
import {
  conditionAwareOptimalTransport,
  eightGaussians,
  optimalTransportCoupling,
  schrodingerBridgeCoupling,
  sinkhorn,
} from '@flow-matching/plugins';
import type { Comparison, Timing } from './compare.ts';
import { formatFailures } from './formatComparison.ts';
import type { Variant } from './ourSubject.ts';
import type { Study } from './study.ts';
import { formatMilliseconds, formatTable } from './table.ts';
import { work } from './works.ts';

const couplings: readonly Variant[] = [
  { name: 'optimal-transport', parts: { coupling: optimalTransportCoupling() } },
  { name: 'sinkhorn', parts: { coupling: sinkhorn() } },
  { name: 'schrodinger-bridge, σ = 1', parts: { coupling: schrodingerBridgeCoupling() } },
  { name: 'schrodinger-bridge, σ = 0.1', parts: { coupling: schrodingerBridgeCoupling({ sigma: 0.1 }) } },
  {
    name: 'condition-aware-optimal-transport',
    parts: { coupling: conditionAwareOptimalTransport() },
    data: eightGaussians({ labels: true }),
  },
];

/** The network with the least around it: no path to derive, no target. What the whole step takes longer is the loss. */
const outputAlone: Objective = {
  name: 'output-alone',
  loss: (prediction) => prediction.square().mean([1]),
  field: (prediction) => prediction,
};
const noisyData = gaussianPath({ name: 'noisy-data', check: false, mean: (_, x1) => x1, std: (t) => t.mul(0).add(1) });
const modelAlone: Variant = { name: 'model alone', parts: { objective: outputAlone, path: noisyData } };
const independent: Variant = { name: 'independent', parts: {} };

/**
 * What a coupling takes of a training step, and what the loss does. Shares come from whole steps, with and without, in turns;
 * pairs alone are timed beside them.
 */
export const couplingCost: Study = {
  id: 'coupling',
  contests: [
    { work: work('pairing', 256, 10, 3), variants: couplings },
    { work: work('pairing', 1024, 2, 2), variants: couplings },
    { work: work('training', 256, 20, 3), variants: [independent, modelAlone, ...couplings] },
  ],
  format: ([small, large, steps]) => {
    const rows = [independent, ...couplings].map(({ name }) => {
      const medians = [small, large, steps].map((comparison) => milliseconds(timingOf(comparison, name)?.median));
      const ratio = timingOf(steps, name)?.ratio;
      return [name, ...medians, ratio ? percent(1 - 1 / ratio.median) : ''];
    });
    return [
      formatTable(['Coupling, median ms', 'pairs 256', 'pairs 1024', 'step at 256', 'share of the step'], rows),
      lossShare(timingOf(steps, modelAlone.name)),
      ...[small, large, steps].flatMap(({ failures }) => formatFailures(failures)),
    ].join('\n');
  },
};

/** In turns with the step with independent pairs, so that the machine's drift cancels. */
const lossShare = (model: Timing | undefined): string =>
  model?.ratio
    ? `The model alone takes ${milliseconds(model.median)} ms a step: the loss is ${percent(1 - model.ratio.median)} (${percent(1 - model.ratio.most)} to ${percent(1 - model.ratio.least)} in the rounds) of the step with independent pairs.`
    : '';

const timingOf = ({ timings }: Comparison, name: string): Timing | undefined =>
  timings.find(({ subject }) => subject === name);

const milliseconds = (value: number | undefined): string => (value === undefined ? '' : formatMilliseconds(value));

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
