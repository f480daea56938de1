import type { ConformanceCase } from '../case/conformanceCase.ts';

export const lifecycleCases = (): readonly ConformanceCase[] => [];
