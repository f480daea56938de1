import type { ConformanceCase } from '../case/conformanceCase.ts';
import { arrayCases } from '../lifecycle/arrayCases.ts';
import { bindingCases } from '../lifecycle/bindingCases.ts';
import { concurrencyCases } from '../lifecycle/concurrencyCases.ts';
import { disposalCases } from '../lifecycle/disposalCases.ts';
import { donationCases } from '../lifecycle/donationCases.ts';
import { compilationGrowthCase, growthCase } from '../lifecycle/growthCase.ts';
import { manifestCases } from '../lifecycle/manifestCases.ts';
import { runCases } from '../lifecycle/runCases.ts';

/** Level 0: the contract of Backend for manifests, arrays, runs, donation, binding and disposal. */
export const lifecycleCases = (): readonly ConformanceCase[] => [
  ...manifestCases(),
  ...arrayCases(),
  ...runCases(),
  ...donationCases(),
  ...bindingCases(),
  ...concurrencyCases(),
  ...disposalCases(),
  growthCase,
  compilationGrowthCase,
];
