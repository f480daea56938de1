import { builtinPlugins, mlp } from '@flow-matching/plugins';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { conformancePaths } from '../mathematics/conformancePaths.ts';
import { divergenceCases } from '../mathematics/divergenceCases.ts';
import { flowCases } from '../mathematics/flowCases.ts';
import { marginalCases } from '../mathematics/marginalCases.ts';
import { samplingCases } from '../mathematics/samplingCases.ts';
import { modelCases } from './modelCases.ts';
import { pathCases } from './pathCases.ts';
import type { MakeSolver } from './makeSolver.ts';
import { solverCases } from './solverCases.ts';

/** Every registered solver. */
const solvers = builtinPlugins.filter(({ kind }) => kind === 'solver') as unknown as readonly MakeSolver[];

/**
 * Flow matching's theorems and analytic results on a backend, in f32: the checks of its kind for every registered path, solver
 * and model, and the known results for known data.
 */
export const mathematicsCases = (): readonly ConformanceCase[] => [
  ...conformancePaths().flatMap((testCase) => [
    ...pathCases(testCase.path, { label: testCase.label }),
    ...marginalCases(testCase),
    ...flowCases(testCase),
  ]),
  ...solvers.flatMap((make) => solverCases(make)),
  ...divergenceCases(),
  ...samplingCases(),
  ...modelCases(mlp({ width: 24, depth: 3 })),
];
