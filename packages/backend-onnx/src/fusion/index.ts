import type { Graph } from '@flow-matching/tensor';
import type { Lowering } from '../lowering/lowering.ts';
import { fuseBias, fuseTransposes, gemmLowering } from './gemm.ts';
import { fuseSilu, siluLowering } from './silu.ts';
import { fuseSumOfSquares, sumOfSquaresLowering } from './sumOfSquares.ts';

/** Lowerings of the operators that {@link fuse} introduces. These exist only between fusion and encoding, so they are in no manifest. */
export const fusedLowerings: ReadonlyMap<string, Lowering> = new Map(
  [gemmLowering, siluLowering, sumOfSquaresLowering].map((row) => [row.name, row]),
);

const passes = [fuseTransposes, fuseBias, fuseSilu, fuseSumOfSquares];

/** Fuses adjacent operators for which ONNX Runtime has one kernel. */
export const fuse = (graph: Graph): Graph => passes.reduce((current, pass) => pass(current), graph);
