import { supports, type Manifest, type Node } from '@flow-matching/tensor';
import { composites } from './composites.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import type { Lowering } from './lowering.ts';
import { products } from './matmul.ts';
import { movement } from './movement.ts';
import { reductions } from './reduction.ts';

/** Every operator and composite the backend runs. RandomBits is not among them: draws are hoisted to the host. */
const table: readonly Lowering[] = [
  ...elementwise,
  ...movement,
  ...reductions,
  ...products,
  ...indexing,
  ...convolution,
  ...composites,
];

/** What the backend can run on ONNX Runtime's CPU provider: the keys of its lowering table. */
export const manifest: Manifest = new Map(table.map(({ name, dtypes }) => [name, dtypes]));

export const lowerings: ReadonlyMap<string, Lowering> = new Map(table.map((lowering) => [lowering.name, lowering]));

export const hasLowering = (node: Node): boolean => supports(manifest, node);
