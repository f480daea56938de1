import * as core from '@flow-matching/tensor';
import { filled } from './filled.ts';
import { lowering, numeric, type Lowering } from './lowering.ts';

export const products: readonly Lowering[] = [
  lowering(core.MatMul, numeric, (write, operands, { inputs: [a], outputs: [product] }) =>
    a.size === 0 ? filled(write, 0, product) : write.node('MatMul', operands),
  ),
];
