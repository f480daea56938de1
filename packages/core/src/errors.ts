import { FlowMatchingError, type ErrorDetails } from '@flow-matching/tensor';

/** A plugin name that is not registered, or that two plugins use. */
export class PluginError extends FlowMatchingError {
  static override readonly name: string = 'PluginError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_PLUGIN', problem, details);
  }
}

/** A conditional path whose formulas contradict its declaration, or that is incompatible with another part. */
export class PathError extends FlowMatchingError {
  static override readonly name: string = 'PathError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_PATH', problem, details);
  }
}

/** A model has more parameters than allowed. */
export class ModelSizeError extends FlowMatchingError {
  static override readonly name: string = 'ModelSizeError';

  /** Elements of all parameters, or of those counted when the limit was exceeded. */
  readonly parameters: number;

  constructor(parameters: number, limit: number, cause?: unknown) {
    super('FM_MODEL_SIZE', `The model has ${parameters} parameters or more.`, {
      actual: parameters,
      expected: `at most ${Math.floor(limit)}`,
      remedy: 'Make it smaller.',
      cause,
    });
    this.parameters = parameters;
  }
}

/** Numbers are no longer finite: a NaN loss, an infinite gradient, a NaN velocity. */
export class NumericalError extends FlowMatchingError {
  static override readonly name: string = 'NumericalError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_NUMERICAL', problem, details);
  }
}

/** A solver could not meet its tolerance within its budget. */
export class SolverError extends FlowMatchingError {
  static override readonly name: string = 'SolverError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_SOLVER', problem, details);
  }
}
