import type { ConformanceCase } from '@flow-matching/conformance';

/** What the reference takes seconds for: sizes of trainings. */
const large = /product sizes|64 channels|million elements|thousand elements|more than 65,536|512 by 512|long samples/;

/** The cases of small arrays: for tests that run them many times over. */
export const smallCases = (cases: readonly ConformanceCase[]): readonly ConformanceCase[] =>
  cases.filter(({ id }) => !large.test(id));
