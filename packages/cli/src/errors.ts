import { FlowMatchingError, type ErrorDetails } from '@flow-matching/tensor';

/** The command was called wrongly. Exit status 2. */
export class UsageError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_USAGE', problem, details);
  }
}

/** An experiment file, or a setting given on the command line, that does not describe an experiment. Exit status 2. */
export class ExperimentError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_EXPERIMENT', problem, details);
  }
}

/** A run directory that cannot be used as requested: in use, of another experiment, already existing, or not a run directory. */
export class RunError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_RUN', problem, details);
  }
}

/** A checkpoint that is truncated, damaged, or not one of this framework's. */
export class CheckpointError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_CHECKPOINT', problem, details);
  }
}

/** The file system refused: a missing file, a full disk, no permission. */
export class FileError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_FILE', problem, details);
  }
}

/** The user stopped the command. State has been saved, and the message says how to continue. */
export class InterruptedError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_INTERRUPTED', problem, details);
  }
}

/** An error that is a result about the measured flow, after which other measurements can continue: neither an interrupt nor a bug. */
export const isFinding = (error: unknown): error is FlowMatchingError =>
  error instanceof FlowMatchingError && !(error instanceof InterruptedError);
