import type { DType } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';

/** A case of level 0: `L0/<topic>/<name>`. */
export const lifecycleCase = (
  name: string,
  claim: string,
  run: (context: CaseContext) => Promise<void>,
  dtype?: DType,
): ConformanceCase => ({ id: `L0/${name}`, level: 0, claim, run, ...(dtype && { dtype }) });
