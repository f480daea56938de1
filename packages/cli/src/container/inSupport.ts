import { DataError, defineEstimator, type Dataset, type HostArray } from '@flow-matching/core';
import { drawSamples } from '../run/drawSamples.ts';

/** Share of samples that lie where the data's density is positive. @throws DataError where the density is not known. */
export const inSupport = defineEstimator({
  name: 'in-support',
  summary: "Share of samples where the data's density is positive",
  create: () => ({
    name: 'in-support',
    async estimate({ flow, data, count, ...options }) {
      if (!data.density)
        throw new DataError(`The density of the data '${data.name}' is not known.`, {
          actual: data.name,
          expected: 'a data set with a density, as checkerboard',
        });
      const { samples } = await drawSamples({ flow, data }, count, options);
      return supportShare(data.density, samples);
    },
  }),
});

/** With the standard error of a share. */
export function supportShare(
  density: NonNullable<Dataset['density']>,
  samples: HostArray,
): { value: number; standardError: number; count: number; unit: string } {
  const logs = density.logDensity(samples);
  const value = logs.filter((log) => log > -Infinity).length / logs.length;
  return {
    value,
    standardError: Math.sqrt((value * (1 - value)) / logs.length),
    count: logs.length,
    unit: 'share of samples',
  };
}
