import type { HostArray } from '@flow-matching/tensor';

const longestListed = 8;

/** One row of an array for a message: `[0.5, -1]`, truncated after eight values. */
export function describeRow({ data, shape }: HostArray, row: number): string {
  const width = data.length / shape[0];
  const listed = Array.from(data.subarray(row * width, row * width + Math.min(width, longestListed)));
  return `[${listed.join(', ')}${width > longestListed ? ', …' : ''}]`;
}
