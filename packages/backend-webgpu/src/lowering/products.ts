import * as core from '@flow-matching/tensor';
import { NotComputable } from '../compiler/kernelWriter.ts';
import { numeric, type Lowering } from './lowering.ts';

const product = ({ name }: { readonly name: string }): Lowering => ({
  name,
  dtypes: numeric,
  kind: 'product',
  cost: 1,
  write: () => {
    throw new NotComputable('A product is written by a kernel of its own.');
  },
});

export const products: readonly Lowering[] = [
  product(core.MatMul),
  product(core.Conv),
  product(core.ConvInputGradient),
  product(core.ConvWeightGradient),
];
