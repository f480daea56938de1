import type { Plugin } from '@flow-matching/core';
import { conditionAwareOptimalTransport } from './couplings/conditionAwareOptimalTransport.ts';
import { optimalTransportCoupling } from './couplings/optimalTransportCoupling.ts';
import { schrodingerBridgeCoupling } from './couplings/schrodingerBridgeCoupling.ts';
import { sinkhorn } from './couplings/sinkhorn.ts';
import { independent } from './couplings/independent.ts';
import { checkerboard } from './datasets/checkerboard.ts';
import { circles } from './datasets/circles.ts';
import { eightGaussians } from './datasets/eightGaussians.ts';
import { gaussian } from './datasets/gaussian.ts';
import { gaussianMixtureData } from './datasets/gaussianMixtureData.ts';
import { moons } from './datasets/moons.ts';
import { pair } from './datasets/pair.ts';
import { pinwheel } from './datasets/pinwheel.ts';
import { sCurve } from './datasets/sCurve.ts';
import { spirals } from './datasets/spirals.ts';
import { swissRoll } from './datasets/swissRoll.ts';
import { points } from './datasets/points.ts';
import { bitsPerDimension } from './estimators/bitsPerDimension.ts';
import { energyDistance } from './estimators/energyDistance.ts';
import { inSupport } from './estimators/inSupport.ts';
import { lowNfeError } from './estimators/lowNfeError.ts';
import { maximumMeanDiscrepancy } from './estimators/maximumMeanDiscrepancy.ts';
import { normalizedPathEnergy } from './estimators/normalizedPathEnergy.ts';
import { slicedWasserstein } from './estimators/slicedWasserstein.ts';
import { straightness } from './estimators/straightness.ts';
import { wasserstein2 } from './estimators/wasserstein2.ts';
import { functionEvaluations } from './estimators/functionEvaluations.ts';
import { negativeLogLikelihood } from './estimators/negativeLogLikelihood.ts';
import { mlp } from './models/mlp.ts';
import { conditionalFlowMatching } from './objectives/conditionalFlowMatching.ts';
import { flowMatching } from './objectives/flowMatching.ts';
import { noiseMatching } from './objectives/noiseMatching.ts';
import { scoreFlow } from './objectives/scoreFlow.ts';
import { scoreMatching } from './objectives/scoreMatching.ts';
import { x1Prediction } from './objectives/x1Prediction.ts';
import { adam } from './optimizers/adam.ts';
import { adamw } from './optimizers/adamw.ts';
import { sgd } from './optimizers/sgd.ts';
import { custom } from './paths/custom.ts';
import { linearVariancePreserving } from './paths/linearVariancePreserving.ts';
import { optimalTransport } from './paths/optimalTransport.ts';
import { pairedLines } from './paths/pairedLines.ts';
import { polynomial } from './paths/polynomial.ts';
import { schrodingerBridge } from './paths/schrodingerBridge.ts';
import { stochasticInterpolant } from './paths/stochasticInterpolant.ts';
import { trigonometric } from './paths/trigonometric.ts';
import { varianceExploding } from './paths/varianceExploding.ts';
import { variancePreserving } from './paths/variancePreserving.ts';
import { constantSchedule } from './schedules/constantSchedule.ts';
import { cosineSchedule } from './schedules/cosineSchedule.ts';
import { polynomialSchedule } from './schedules/polynomialSchedule.ts';
import { adaptiveHeun } from './solvers/adaptiveHeun.ts';
import { bosh3 } from './solvers/bosh3.ts';
import { dopri5 } from './solvers/dopri5.ts';
import { dopri8 } from './solvers/dopri8.ts';
import { eulerMaruyama } from './solvers/eulerMaruyama.ts';
import { predictorCorrector } from './solvers/predictorCorrector.ts';
import { euler } from './solvers/euler.ts';
import { heun2 } from './solvers/heun2.ts';
import { heun3 } from './solvers/heun3.ts';
import { midpoint } from './solvers/midpoint.ts';
import { ralston } from './solvers/ralston.ts';
import { rk38 } from './solvers/rk38.ts';
import { rk4 } from './solvers/rk4.ts';
import { tsit5 } from './solvers/tsit5.ts';
import { importance } from './timeSamplers/importance.ts';
import { logitNormal } from './timeSamplers/logitNormal.ts';
import { uniform } from './timeSamplers/uniform.ts';

export * from './createFlow.ts';
export { conditionAwareOptimalTransport } from './couplings/conditionAwareOptimalTransport.ts';
export { optimalTransportCoupling } from './couplings/optimalTransportCoupling.ts';
export { schrodingerBridgeCoupling } from './couplings/schrodingerBridgeCoupling.ts';
export { sinkhorn } from './couplings/sinkhorn.ts';
export * from './couplings/independent.ts';
export { circles } from './datasets/circles.ts';
export { eightGaussians } from './datasets/eightGaussians.ts';
export { gaussian } from './datasets/gaussian.ts';
export { gaussianMixtureData } from './datasets/gaussianMixtureData.ts';
export { moons } from './datasets/moons.ts';
export { pair } from './datasets/pair.ts';
export { pinwheel } from './datasets/pinwheel.ts';
export { sCurve } from './datasets/sCurve.ts';
export { spirals } from './datasets/spirals.ts';
export { swissRoll } from './datasets/swissRoll.ts';
export * from './datasets/checkerboard.ts';
export { points, type PointData } from './datasets/points.ts';
export * from './densities/checkerboardDensity.ts';
export * from './densities/gaussianMixture.ts';
export type { MarginalDensity } from './densities/marginalDensity.ts';
export * from './densities/marginalField.ts';
export * from './densities/mixtureDensity.ts';
export * from './densities/ringsDensity.ts';
export * from './densities/uniformSquares.ts';
export { bitsPerDimension } from './estimators/bitsPerDimension.ts';
export { energyDistance } from './estimators/energyDistance.ts';
export { inSupport, supportShare } from './estimators/inSupport.ts';
export { likelihoodSolver } from './estimators/likelihoodSolver.ts';
export { fineSolution, lowNfeError } from './estimators/lowNfeError.ts';
export { maximumMeanDiscrepancy } from './estimators/maximumMeanDiscrepancy.ts';
export { normalizedPathEnergy } from './estimators/normalizedPathEnergy.ts';
export { slicedWasserstein } from './estimators/slicedWasserstein.ts';
export { straightness } from './estimators/straightness.ts';
export { wasserstein2 } from './estimators/wasserstein2.ts';
export * from './estimators/functionEvaluations.ts';
export * from './estimators/negativeLogLikelihood.ts';
export * from './models/activations.ts';
export * from './models/mlp.ts';
export * from './models/selu.ts';
export * from './models/timeEmbeddings.ts';
export * from './objectives/conditionalFlowMatching.ts';
export * from './objectives/flowMatching.ts';
export * from './objectives/noiseMatching.ts';
export * from './objectives/scoreFlow.ts';
export * from './objectives/scoreMatching.ts';
export * from './objectives/x1Prediction.ts';
export * from './optimizers/adam.ts';
export { AdamUpdate } from './optimizers/adamUpdate.ts';
export * from './optimizers/adamw.ts';
export * from './optimizers/sgd.ts';
export * from './paths/custom.ts';
export * from './paths/linearVariancePreserving.ts';
export * from './paths/optimalTransport.ts';
export * from './paths/pairedLines.ts';
export * from './paths/polynomial.ts';
export * from './paths/schrodingerBridge.ts';
export * from './paths/stochasticInterpolant.ts';
export * from './paths/trigonometric.ts';
export * from './paths/varianceExploding.ts';
export * from './paths/variancePreserving.ts';
export * from './schedules/constantSchedule.ts';
export * from './schedules/cosineSchedule.ts';
export * from './schedules/polynomialSchedule.ts';
export * from './solvers/adaptiveHeun.ts';
export * from './solvers/bosh3.ts';
export * from './solvers/dopri5.ts';
export * from './solvers/dopri8.ts';
export * from './solvers/eulerMaruyama.ts';
export * from './solvers/predictorCorrector.ts';
export * from './solvers/euler.ts';
export * from './solvers/heun2.ts';
export * from './solvers/heun3.ts';
export * from './solvers/midpoint.ts';
export * from './solvers/ralston.ts';
export * from './solvers/rk38.ts';
export * from './solvers/rk4.ts';
export * from './solvers/tsit5.ts';
export * from './solvers/rungeKuttaMethods.ts';
export * from './solvers/timeGrid.ts';
export * from './timeSamplers/importance.ts';
export * from './timeSamplers/logitNormal.ts';
export * from './timeSamplers/uniform.ts';
export * from './transport/costRows.ts';
export * from './transport/linearAssignment.ts';
export * from './transport/squaredDistances.ts';

/** Every plugin of this package, to load into a container: `createContainer(builtinPlugins)`. */
export const builtinPlugins: readonly Plugin[] = [
  optimalTransport,
  variancePreserving,
  varianceExploding,
  trigonometric,
  linearVariancePreserving,
  polynomial,
  stochasticInterpolant,
  schrodingerBridge,
  pairedLines,
  custom,
  independent,
  optimalTransportCoupling,
  sinkhorn,
  schrodingerBridgeCoupling,
  conditionAwareOptimalTransport,
  conditionalFlowMatching,
  flowMatching,
  noiseMatching,
  scoreMatching,
  scoreFlow,
  x1Prediction,
  uniform,
  logitNormal,
  importance,
  mlp,
  adam,
  adamw,
  sgd,
  constantSchedule,
  cosineSchedule,
  polynomialSchedule,
  checkerboard,
  eightGaussians,
  moons,
  sCurve,
  swissRoll,
  pinwheel,
  circles,
  spirals,
  gaussian,
  gaussianMixtureData,
  pair,
  points,
  negativeLogLikelihood,
  bitsPerDimension,
  wasserstein2,
  slicedWasserstein,
  maximumMeanDiscrepancy,
  energyDistance,
  inSupport,
  normalizedPathEnergy,
  straightness,
  functionEvaluations,
  lowNfeError,
  euler,
  midpoint,
  heun2,
  ralston,
  heun3,
  rk4,
  rk38,
  adaptiveHeun,
  bosh3,
  dopri5,
  tsit5,
  dopri8,
  eulerMaruyama,
  predictorCorrector,
];
