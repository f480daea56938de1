import { couplingCost } from './couplingCost.ts';
import { perSampleCost } from './perSampleCost.ts';
import type { Study } from './study.ts';

export const studies: readonly Study[] = [couplingCost, perSampleCost];
