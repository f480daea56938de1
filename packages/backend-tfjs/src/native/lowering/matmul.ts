import * as core from '@flow-matching/tensor';
import { dataType } from '../graphWriter.ts';
import { lowering, numeric, type Lowering } from './lowering.ts';

export const products: readonly Lowering[] = [
  // Products of u32 wrap around like those of the int32 with the same bits.
  lowering(core.MatMul, numeric, (write, operands, { inputs: [a, b] }) => {
    if (a.rank === 2 && b.rank === 2) {
      return write.typed('MatMul', dataType[a.dtype], operands, {
        transpose_a: { bool: false },
        transpose_b: { bool: false },
      });
    }
    return write.typed('BatchMatMulV2', dataType[a.dtype], operands, {
      adj_x: { bool: false },
      adj_y: { bool: false },
    });
  }),
];
