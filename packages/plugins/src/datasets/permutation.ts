import { philox, seedKey } from '@flow-matching/tensor';

/** The numbers 0 … count − 1 in an order that is a function of (seed, stream, epoch): Fisher–Yates with Philox words. */
export function permutation(count: number, seed: number, stream: number, epoch = 0): Uint32Array {
  const [key0, key1] = seedKey(seed);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const words = new Uint32Array(4);
  for (let i = count - 1; i > 0; i--) {
    const draw = count - 1 - i;
    if (draw % 4 === 0) philox(key0, key1, draw / 4, epoch >>> 0, Math.floor(epoch / 2 ** 32), stream, words);
    const j = Math.floor((words[draw % 4] / 2 ** 32) * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}
