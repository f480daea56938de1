import type { Samples } from '@flow-matching/core';

/** Numbers per part: a few MB of text. The whole file may exceed the longest string, 512 MiB. */
const numbersPerPart = 100_000;

/**
 * Samples as the parts of a CSV file. One row per point, with flattened coordinates in nine digits, which distinguish all f32
 * values; rows of trajectories start with the sample and the time.
 */
export function* csvParts({ samples, trajectory, times }: Samples, most: number = numbersPerPart): Generator<string> {
  const { data, shape } = trajectory ?? samples;
  const width = shape.slice(trajectory ? 2 : 1).reduce((size, extent) => size * extent, 1);
  const rows = data.length / width;
  const names = Array.from({ length: width }, (_, i) => `x${i}`);
  yield `${[...(times ? ['sample', 'time'] : []), ...names].join(',')}\n`;
  const perPart = Math.max(1, Math.floor(most / width));
  for (let first = 0; first < rows; first += perPart) {
    const part = Array.from({ length: Math.min(perPart, rows - first) }, (_, i) => {
      const row = first + i;
      const values = Array.from(data.subarray(row * width, (row + 1) * width), (value) => Number(value.toPrecision(9)));
      return (times ? [Math.floor(row / times.length), times[row % times.length], ...values] : values).join(',');
    });
    yield `${part.join('\n')}\n`;
  }
}
