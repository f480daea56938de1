import type { HostArray } from '@flow-matching/tensor';

/** Computations with roundings of their own. */
const draws = 8;

/** How far each element of `exact` is from what `disturbed` gives, at most over several calls. */
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
