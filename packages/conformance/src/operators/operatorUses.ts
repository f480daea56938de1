import type { DType } from '@flow-matching/tensor';
import type { Row } from '../case/use.ts';

/** The rows of one operator, for each dtype it takes. */
export interface OperatorUses {
  /** As manifests name it. */
  readonly operator: string;
  readonly dtypes: readonly DType[];
  readonly rows: (dtype: DType) => readonly Row[];
}
