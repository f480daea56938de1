import type { ConformanceCase } from '../case/conformanceCase.ts';

export const operatorCases = (): readonly ConformanceCase[] => [];
