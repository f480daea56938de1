import type { HostArray } from '@flow-matching/tensor';

/** ⟨a, b⟩ over lists of arrays. */
export function innerProduct(as: readonly Pick<HostArray, 'data'>[], bs: readonly Pick<HostArray, 'data'>[]): number {
  let sum = 0;
  as.forEach(({ data }, i) => {
    const other = bs[i].data;
    for (let j = 0; j < data.length; j++) sum += data[j] * other[j];
  });
  return sum;
}
