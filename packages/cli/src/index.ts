export { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './checkpoint/checkpoint.ts';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './checkpoint/safetensors.ts';
export { createRootContainer } from './container/createRootContainer.ts';
export { nodeFiles } from './container/nodeFiles.ts';
export * from './errors.ts';
export {
  assembleExperiment,
  loadExperiment,
  type AssembledExperiment,
  type LoadedExperiment,
} from './experiment/assembleExperiment.ts';
export type { Experiment, TrainingSettings } from './experiment/experiment.ts';
export { RunDirectory } from './run/runDirectory.ts';
export { exitStatus } from './exitStatus.ts';
export { runCommandLine } from './runCommandLine.ts';
