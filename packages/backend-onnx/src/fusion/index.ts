import type { Graph } from '@flow-matching/tensor';
import type { Lowering } from '../lowering/lowering.ts';
import { fuseBias, fuseTransposes, gemmLowering } from './gemm.ts';
import { fuseSilu, siluLowering } from './silu.ts';
import { fuseSumOfSquares, sumOfSquaresLowering } from './sumOfSquares.ts';

/** Rows for the operators that {@link fuse} introduces. They exist between fusion and encoding only, so they are in no manifest. */
export const fusedLowerings: ReadonlyMap<string, Lowering> = new Map(
  [gemmLowering, siluLowering, sumOfSquaresLowering].map((row) => [row.name, row]),
);

const passes = [fuseTransposes, fuseBias, fuseSilu, fuseSumOfSquares];

/** Joins neighbouring operators that ONNX Runtime has one kernel for. */
export const fuse = (graph: Graph): Graph => passes.reduce((current, pass) => pass(current), graph);
