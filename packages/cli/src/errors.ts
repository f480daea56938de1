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

/** A run directory that cannot be used as asked: in use, of another experiment, there already, or not one at all. */
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

/** What was asked for needs more memory than there is. Found by an estimate, before the work. */
export class MemoryError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_MEMORY', problem, details);
  }
}

/** The user stopped the command. What was to be kept is kept, and the message says how to go on. */
export class InterruptedError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_INTERRUPTED', problem, details);
  }
}

/** An error that says something of what was measured, after which other measurements may go on: not an interrupt, and no defect. */
export const isFinding = (error: unknown): error is FlowMatchingError =>
  error instanceof FlowMatchingError && !(error instanceof InterruptedError);
