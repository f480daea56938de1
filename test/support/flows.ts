import { assembleFlow, type Dataset, type Flow, type FlowParts, type VectorFieldModel } from '@flow-matching/core';
import { hostArray, HostRandomStream, streams, type Backend } from '@flow-matching/tensor';
import { conditionalFlowMatching, dopri5, independent, mlp, optimalTransport, uniform } from '@flow-matching/plugins';

/** N(mean, std² I) in two dimensions. */
export function gaussianData(mean: readonly [number, number] = [2, -1], std = 0.5): Dataset {
  return {
    name: 'gaussian',
    shape: [2],
    batch({ index, size, seed, split }) {
      const x1 = new HostRandomStream(seed, split === 'test' ? streams.test : streams.data, index).normal(
        [size, 2],
        std,
      );
      for (let i = 0; i < x1.data.length; i++) x1.data[i] += mean[i % 2];
      return { x1 };
    },
  };
}

/** A flow of the default parts around a small network. */
export function smallFlow(backend: Backend, parts: Partial<Omit<FlowParts, 'backend'>> = {}): Promise<Flow> {
  return assembleFlow({
    path: optimalTransport(),
    coupling: independent(),
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
    model: mlp({ width: 16, depth: 3 }),
    solver: dopri5({ rtol: 1e-5, atol: 1e-5 }),
    ...parts,
    backend,
  });
}

/** The exact marginal field of N(mean, std² I) data under the optimal-transport path with σ_min = 0, as a model without parameters. */
export function gaussianField(mean: number, std: number): VectorFieldModel {
  return {
    name: 'gaussian-field',
    init: () => ({}),
    apply(_, { t, x }) {
      const s = t.reshape([t.size, ...x.shape.slice(1).map(() => 1)]);
      const variance = s
        .neg()
        .add(1)
        .square()
        .add(s.square().mul(std ** 2));
      const rate = s.mul(1 + std ** 2).sub(1);
      return rate
        .div(variance)
        .mul(x.sub(s.mul(mean)))
        .add(mean);
    },
  };
}

/** log N(x; mean, std² I) of a row. */
export const gaussianLogDensity = (row: readonly number[], mean: number, std: number): number =>
  row.reduce((sum, x) => sum - 0.5 * ((x - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI), 0);

/** Rows as a host array. */
export const points = (rows: readonly (readonly number[])[]) => hostArray(rows.flat(), [rows.length, rows[0].length]);
