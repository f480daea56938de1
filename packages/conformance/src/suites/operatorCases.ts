import type { ConformanceCase } from '../case/conformanceCase.ts';
import { rowCase } from '../case/use.ts';
import { compositeUses } from '../operators/compositeUses.ts';
import { drawnCases } from '../operators/drawnCases.ts';
import { elementwiseUses } from '../operators/elementwiseUses.ts';
import { indexingUses } from '../operators/indexingUses.ts';
import { movementUses } from '../operators/movementUses.ts';
import { nodeCases } from '../operators/onnx/nodeCases.ts';
import type { OperatorUses } from '../operators/operatorUses.ts';
import { productSizes } from '../operators/productSizes.ts';
import { productUses } from '../operators/productUses.ts';
import { randomUses } from '../operators/randomUses.ts';
import { reductionUses } from '../operators/reductionUses.ts';

const uses: readonly OperatorUses[] = [
  ...elementwiseUses,
  ...movementUses,
  ...reductionUses,
  ...productUses,
  ...indexingUses,
  ...randomUses,
  ...compositeUses,
  ...productSizes,
];

/** Level 1: every operator and composite, for every dtype it supports, compared with the f64 reference, and ONNX's own node tests. */
export const operatorCases = (): readonly ConformanceCase[] => [
  ...uses.flatMap(({ operator, dtypes, rows }) =>
    dtypes.flatMap((dtype) => rows(dtype).map((row) => rowCase(1, operator, dtype, row))),
  ),
  ...drawnCases(),
  ...nodeCases(),
];
