import * as fm from '@flow-matching/tensor';
import type { DType, HostArray, Tensor } from '@flow-matching/tensor';
import { referenceOf, resultsOf } from '../case/agreement.ts';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { exact } from '../case/limit.ts';
import { compareArrays } from '../case/measurement.ts';
import { floats } from '../operators/dtypes.ts';
import { given } from './edgeUses.ts';

const formulas: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  Abs: fm.abs,
  Neg: fm.neg,
  Reciprocal: fm.reciprocal,
  Identity: fm.identity,
  Reshape: (x) => x.reshape([2, 1]),
};

/** −0 and 0 for operators whose definition distinguishes them. Others may return either. */
export const zeroSigns = (): readonly ConformanceCase[] =>
  Object.entries(formulas).flatMap(([operator, formula]) => floats.map((dtype) => zeroCase(operator, dtype, formula)));

const zeroCase = (operator: string, dtype: DType, formula: (x: Tensor) => Tensor): ConformanceCase => ({
  id: `L2/${operator}/${dtype}/signed zeros`,
  level: 2,
  dtype,
  claim: `${operator} of 0 and −0 has the sign of its definition`,
  async run(context) {
    const inputs = [given([0, -0], dtype)];
    const [expected] = referenceOf(formula, inputs);
    const [actual] = await resultsOf(context, formula, inputs);
    context.measure(compareArrays('one over the result', reciprocals(actual), reciprocals(expected), exact));
  },
});

/** Reciprocals, which turn zeros into infinities of their sign. */
const reciprocals = ({ data, ...type }: HostArray): HostArray => ({ data: data.map((value) => 1 / value), ...type });
