import type { ConformanceCase } from '../case/conformanceCase.ts';

export const programCases = (): readonly ConformanceCase[] => [];
