import { RandomBits } from '../operators/random.ts';
import { hostRandomBits } from '../random/host.ts';
import { kernel, type Kernel } from './kernel.ts';

export const random: readonly Kernel[] = [
  // Philox is an exact integer function, so the host's version is the definition.
  kernel(
    RandomBits,
    ['u32'],
    ({ attributes: { shape } }, [key, counter]) =>
      hostRandomBits(key.data as Uint32Array, counter.data as Uint32Array, shape).data,
  ),
];
