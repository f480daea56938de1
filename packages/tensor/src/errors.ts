import type { CallSite } from './graph/callSite.ts';
import { truncate } from './shorten.ts';

/** The details of an error besides its message. All are optional except the code. */
export interface ErrorDetails {
  /** The refused value. */
  readonly actual?: unknown;
  /** What is accepted instead. */
  readonly expected?: string;
  /** How to fix it, as an imperative sentence. */
  readonly remedy?: string;
  /** The line of user code that caused it. */
  readonly callSite?: CallSite | undefined;
  readonly cause?: unknown;
}

/** Maximum length in characters of a problem shown in full: external text may have millions. */
const longestProblem = 10_000;

/**
 * The base of every error this framework throws on purpose. `code` is stable across releases, so programs may branch on it; the
 * message gives the offending value, what was expected, how to fix it and, for graph errors, the user's line.
 */
export class FlowMatchingError extends Error {
  /** Written out, here and in every class below, so that minifiers keep it. */
  static override readonly name: string = 'FlowMatchingError';

  readonly code: string;
  readonly actual: unknown;
  readonly expected: string | undefined;
  readonly remedy: string | undefined;
  readonly callSite: CallSite | undefined;

  constructor(code: string, problem: string, details: ErrorDetails = {}) {
    const parts = [truncate(problem, longestProblem)];
    if (details.expected !== undefined) parts.push(`Expected ${details.expected}.`);
    if (details.remedy !== undefined) parts.push(details.remedy);
    const where = details.callSite?.toString();
    if (where) parts.push(`\n    at ${where}`);
    super(parts.join(' '), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.actual = details.actual;
    this.expected = details.expected;
    this.remedy = details.remedy;
    this.callSite = details.callSite;
  }
}

/** Shapes that an operator does not accept, or an array without the shape that a program declares. */
export class ShapeError extends FlowMatchingError {
  static override readonly name: string = 'ShapeError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_SHAPE', problem, details);
  }
}

/** A dtype that an operator, a program or a backend does not support. */
export class DTypeError extends FlowMatchingError {
  static override readonly name: string = 'DTypeError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_DTYPE', problem, details);
  }
}

/** An attribute, option or argument outside its range. */
export class OptionError extends FlowMatchingError {
  static override readonly name: string = 'OptionError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_OPTION', problem, details);
  }
}

/** A malformed graph or set of named arrays: a missing, unknown or duplicate name. */
export class GraphError extends FlowMatchingError {
  static override readonly name: string = 'GraphError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_GRAPH', problem, details);
  }
}

/** A derivative was requested of something that has none. */
export class DifferentiationError extends FlowMatchingError {
  static override readonly name: string = 'DifferentiationError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_DIFFERENTIATION', problem, details);
  }
}

/** A backend does not declare what a graph needs. */
export class UnsupportedError extends FlowMatchingError {
  static override readonly name: string = 'UnsupportedError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_UNSUPPORTED', problem, details);
  }
}

/** A backend failed while compiling or running a graph. */
export class BackendError extends FlowMatchingError {
  static override readonly name: string = 'BackendError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_BACKEND', problem, details);
  }
}

/** An array, executable or backend was used after it was disposed or donated. */
export class DisposedError extends FlowMatchingError {
  static override readonly name: string = 'DisposedError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_DISPOSED', problem, details);
  }
}

/**
 * The elements of an array no longer exist: its device has failed, or a run that the array was donated to failed after it had
 * begun to overwrite it.
 */
export class LostError extends FlowMatchingError {
  static override readonly name: string = 'LostError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_LOST', problem, details);
  }
}

/** An object of another copy of one of the framework's packages. */
export class CopyError extends FlowMatchingError {
  static override readonly name: string = 'CopyError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_COPY', problem, details);
  }
}

/** Data that cannot be read, or that contain values that cannot be trained on. */
export class DataError extends FlowMatchingError {
  static override readonly name: string = 'DataError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_DATA', problem, details);
  }
}

/** A request needs more memory than there is, or an array longer than arrays can be. Thrown before the work starts. */
export class MemoryError extends FlowMatchingError {
  static override readonly name: string = 'MemoryError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_MEMORY', problem, details);
  }
}
