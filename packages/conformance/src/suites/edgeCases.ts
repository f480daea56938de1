import type { ConformanceCase } from '../case/conformanceCase.ts';

export const edgeCases = (): readonly ConformanceCase[] => [];
