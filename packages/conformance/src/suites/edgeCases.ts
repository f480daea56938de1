import type { ConformanceCase } from '../case/conformanceCase.ts';
import { rowCase } from '../case/use.ts';
import { castEdges } from '../edges/castEdges.ts';
import type { EdgeUses } from '../edges/edgeUses.ts';
import { emptyTensors } from '../edges/emptyTensors.ts';
import { extremeMagnitudes } from '../edges/extremeMagnitudes.ts';
import { indexEdges } from '../edges/indexEdges.ts';
import { integerEdges } from '../edges/integerEdges.ts';
import { maskEdges } from '../edges/maskEdges.ts';
import { randomEdges } from '../edges/randomEdges.ts';
import { specialValues } from '../edges/specialValues.ts';
import { zeroSigns } from '../edges/zeroSigns.ts';

const uses: readonly EdgeUses[] = [
  ...emptyTensors,
  ...specialValues,
  ...extremeMagnitudes,
  ...maskEdges,
  ...integerEdges,
  ...castEdges,
  ...indexEdges,
];

/** Level 2: empty arrays, NaN and infinities, the ends of the ranges, masks, wrap-around and random bits, as far as core defines them. */
export const edgeCases = (): readonly ConformanceCase[] => [
  ...uses.flatMap(({ operator, dtypes, rows }) =>
    dtypes.flatMap((dtype) => rows(dtype).map((row) => rowCase(2, operator, dtype, row))),
  ),
  ...zeroSigns(),
  ...randomEdges(),
];
