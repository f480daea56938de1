import type { ConformanceCase } from '../case/conformanceCase.ts';

export const mathematicsCases = (): readonly ConformanceCase[] => [];
