import type { ConformanceCase } from '../case/conformanceCase.ts';
import { derivativeCases, tailCases } from './derivativeCases.ts';
import { edgeCases } from './edgeCases.ts';
import { lifecycleCases } from './lifecycleCases.ts';
import { mathematicsCases } from './mathematicsCases.ts';
import { operatorCases } from './operatorCases.ts';
import { programCases } from './programCases.ts';
import { speedCases } from './speedCases.ts';

/** Every case for backends, by level. */
export const backendCases = (): readonly ConformanceCase[] => [
  ...lifecycleCases(),
  ...operatorCases(),
  ...edgeCases(),
  ...derivativeCases(),
  ...tailCases(),
  ...mathematicsCases(),
  ...programCases(),
  ...speedCases(),
];
