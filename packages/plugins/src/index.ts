import type { Plugin } from '@flow-matching/core';
import { independent } from './couplings/independent.ts';
import { checkerboard } from './datasets/checkerboard.ts';
import { points } from './datasets/points.ts';
import { functionEvaluations } from './estimators/functionEvaluations.ts';
import { negativeLogLikelihood } from './estimators/negativeLogLikelihood.ts';
import { mlp } from './models/mlp.ts';
import { conditionalFlowMatching } from './objectives/conditionalFlowMatching.ts';
import { adam } from './optimizers/adam.ts';
import { adamw } from './optimizers/adamw.ts';
import { sgd } from './optimizers/sgd.ts';
import { optimalTransport } from './paths/optimalTransport.ts';
import { constantSchedule } from './schedules/constantSchedule.ts';
import { cosineSchedule } from './schedules/cosineSchedule.ts';
import { polynomialSchedule } from './schedules/polynomialSchedule.ts';
import { dopri5 } from './solvers/dopri5.ts';
import { euler } from './solvers/euler.ts';
import { midpoint } from './solvers/midpoint.ts';
import { uniform } from './timeSamplers/uniform.ts';

export * from './createFlow.ts';
export * from './couplings/independent.ts';
export * from './datasets/checkerboard.ts';
export { points, type PointData } from './datasets/points.ts';
export * from './densities/checkerboardDensity.ts';
export * from './densities/gaussianMixture.ts';
export type { MarginalDensity } from './densities/marginalDensity.ts';
export * from './densities/marginalField.ts';
export * from './densities/uniformSquares.ts';
export * from './estimators/functionEvaluations.ts';
export * from './estimators/negativeLogLikelihood.ts';
export * from './models/activations.ts';
export * from './models/mlp.ts';
export * from './models/selu.ts';
export * from './models/timeEmbeddings.ts';
export * from './objectives/conditionalFlowMatching.ts';
export * from './optimizers/adam.ts';
export { AdamUpdate } from './optimizers/adamUpdate.ts';
export * from './optimizers/adamw.ts';
export * from './optimizers/sgd.ts';
export * from './paths/optimalTransport.ts';
export * from './schedules/constantSchedule.ts';
export * from './schedules/cosineSchedule.ts';
export * from './schedules/polynomialSchedule.ts';
export * from './solvers/dopri5.ts';
export * from './solvers/euler.ts';
export * from './solvers/midpoint.ts';
export * from './timeSamplers/uniform.ts';

/** Every plugin of this package, for a container to load: `createContainer(builtinPlugins)`. */
export const builtinPlugins: readonly Plugin[] = [
  optimalTransport,
  independent,
  conditionalFlowMatching,
  uniform,
  mlp,
  adam,
  adamw,
  sgd,
  constantSchedule,
  cosineSchedule,
  polynomialSchedule,
  euler,
  midpoint,
  dopri5,
  checkerboard,
  points,
  negativeLogLikelihood,
  functionEvaluations,
];
