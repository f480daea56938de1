import * as core from '@flow-matching/tensor';
import { any, lowering, type Lowering } from './lowering.ts';

/** Constants with one element are literals; larger ones are in memory. */
export const constants: readonly Lowering[] = [
  lowering(core.Constant, { kind: 'element', dtypes: any, cost: 0 }, (writer, { attributes: { data, dtype } }) =>
    writer.literal(data[0], dtype),
  ),
];
