import type { DType } from '@flow-matching/tensor';
import type { Row } from '../case/use.ts';

/** The rows of one operator, for each dtype it supports. */
export interface OperatorUses {
  /** Its name in manifests. */
  readonly operator: string;
  readonly dtypes: readonly DType[];
  readonly rows: (dtype: DType) => readonly Row[];
}
