import type { ConformanceCase } from '../case/conformanceCase.ts';

export const speedCases = (): readonly ConformanceCase[] => [];
