import type { ConformanceCase } from '../case/conformanceCase.ts';

export const derivativeCases = (): readonly ConformanceCase[] => [];
