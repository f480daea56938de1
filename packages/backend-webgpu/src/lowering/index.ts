import type { Manifest, Node } from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';
import type { KernelSources } from '../compiler/kernelWriter.ts';
import { constants } from './constant.ts';
import { elementwiseOperators } from './elementwise.ts';
import { indexing } from './indexing.ts';
import type { Lowering } from './lowering.ts';
import { movement } from './movement.ts';
import { products } from './products.ts';
import { random } from './random.ts';
import { retype } from './retype.ts';
import { reductions } from './reduction.ts';

/** The lowering of every operator, by name. Composites are decomposed into these and fused again. */
const lowerings: ReadonlyMap<string, Lowering> = new Map(
  [retype, ...constants, ...elementwiseOperators, ...movement, ...indexing, ...random, ...reductions, ...products].map(
    (lowering) => [lowering.name, lowering],
  ),
);

/** The lowering of a node of a graph that was checked against the manifest. */
export const loweringOf = ({ operator: { name } }: Node): Lowering => lowerings.get(name)!;

/** Writes the element of a node's output at an index. */
export const lower: KernelSources['lower'] = (writer, node, index) => loweringOf(node).write(writer, node, index);

/** The manifest of a device: f16 only if its shaders support it. */
export const webgpuManifest = ({ halves }: Pick<AdapterProfile, 'halves'>): Manifest =>
  new Map(
    [...lowerings.values()]
      .filter(({ name, dtypes }) => name !== 'Constant' && dtypes.length > 0)
      .map(({ name, dtypes }) => [name, halves ? dtypes : dtypes.filter((dtype) => dtype !== 'f16')]),
  );
