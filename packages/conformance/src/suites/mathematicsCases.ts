import {
  adam,
  adamw,
  builtinPlugins,
  conditionalFlowMatching,
  importance,
  logitNormal,
  mlp,
  noiseMatching,
  optimalTransport,
  scoreFlow,
  scoreMatching,
  sgd,
  uniform,
  variancePreserving,
  x1Prediction,
} from '@flow-matching/plugins';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { conformancePaths } from '../mathematics/conformancePaths.ts';
import { divergenceCases } from '../mathematics/divergenceCases.ts';
import { flowCases } from '../mathematics/flowCases.ts';
import { marginalCases } from '../mathematics/marginalCases.ts';
import { samplingCases } from '../mathematics/samplingCases.ts';
import { modelCases } from './modelCases.ts';
import { objectiveCases } from './objectiveCases.ts';
import { optimizerCases } from './optimizerCases.ts';
import { pathCases } from './pathCases.ts';
import type { MakeSolver } from './makeSolver.ts';
import { solverCases } from './solverCases.ts';
import { timeSamplerCases } from './timeSamplerCases.ts';

/** Every registered solver. */
const solvers = builtinPlugins.filter(({ kind }) => kind === 'solver') as unknown as readonly MakeSolver[];

/**
 * Flow matching's theorems and analytic results on a backend, in f32: the checks of its kind for every registered path, solver,
 * model, objective, time sampler and optimizer, and the known results for known data.
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
  // The objective flow-matching regresses on the field of a density that is given, not on that of the data.
  ...[conditionalFlowMatching(), noiseMatching(), scoreMatching(), scoreFlow(), x1Prediction()].flatMap((objective) =>
    objectiveCases(objective, { paths: [optimalTransport(), variancePreserving()] }),
  ),
  ...[uniform(), importance(), logitNormal()].flatMap((sampler) => timeSamplerCases(sampler)),
  ...[adam(), adamw(), sgd()].flatMap((optimizer) => optimizerCases(optimizer)),
  ...optimizerCases(sgd({ momentum: 0.9 }), { label: 'sgd momentum=0.9' }),
];
