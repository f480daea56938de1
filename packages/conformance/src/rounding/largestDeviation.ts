import type { HostArray } from '@flow-matching/tensor';

/** Number of computations with random roundings. */
const draws = 8;

/** The largest distance of each element of `exact` from the results of several calls of `disturbed`. */
export async function largestDeviation(
  exact: Readonly<Record<string, HostArray>>,
  disturbed: (draw: number) => Promise<Readonly<Record<string, HostArray>>>,
): Promise<Record<string, Float64Array>> {
  const effect = Object.fromEntries(
    Object.entries(exact).map(([name, { data }]) => [name, new Float64Array(data.length)]),
  );
  for (let draw = 0; draw < draws; draw++) {
    for (const [name, { data }] of Object.entries(await disturbed(draw))) {
      const sizes = effect[name];
      for (let i = 0; i < data.length; i++) sizes[i] = Math.max(sizes[i], Math.abs(data[i] - exact[name].data[i]) || 0);
    }
  }
  return effect;
}
