import type { Manifest } from '@flow-matching/tensor';
import { broadcasting } from './broadcasts.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import type { Lowering } from './lowering.ts';
import { products } from './matmul.ts';
import { movement } from './movement.ts';
import { reductions } from './reduction.ts';

/** Every operator that the native engine runs. RandomBits is not among them: draws are hoisted to the host. */
const table: readonly Lowering[] = [
  ...elementwise.map(broadcasting),
  ...movement,
  ...reductions,
  ...products,
  ...indexing,
  ...convolution,
];

export const nativeManifest: Manifest = new Map(table.map(({ name, dtypes }) => [name, dtypes]));

export const lowerings: ReadonlyMap<string, Lowering> = new Map(table.map((lowering) => [lowering.name, lowering]));
