import type { Manifest } from '../backend/manifest.ts';
import { arithmetic } from './arithmetic.ts';
import { convolution } from './convolution.ts';
import { indexing } from './indexing.ts';
import type { Kernel } from './kernel.ts';
import { logic } from './logic.ts';
import { products } from './matmul.ts';
import { movement } from './movement.ts';
import { random } from './random.ts';
import { reduction } from './reduction.ts';
import { transcendental } from './transcendental.ts';

/** Every primitive operator, by name. */
export const kernels: ReadonlyMap<string, Kernel> = new Map(
  [arithmetic, convolution, indexing, logic, products, movement, random, reduction, transcendental]
    .flat()
    .map((kernel) => [kernel.name, kernel]),
);

/** What the reference backend runs: every primitive, so every composite too. */
export const referenceManifest: Manifest = new Map([...kernels.values()].map(({ name, dtypes }) => [name, dtypes]));
