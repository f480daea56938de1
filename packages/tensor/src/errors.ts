import type { CallSite } from './graph/callSite.ts';
import { shorten } from './shorten.ts';

/** Everything an error can say beyond its message. All parts are optional except the code. */
export interface ErrorDetails {
  /** The value that was refused. */
  readonly actual?: unknown;
  /** What would have been accepted. */
  readonly expected?: string;
  /** How to mend it, as an imperative sentence. */
  readonly remedy?: string;
  /** Where the user's code asked for it. */
  readonly callSite?: CallSite | undefined;
  readonly cause?: unknown;
}

/** Characters of the longest problem shown whole: what comes from outside may have millions. */
const longestProblem = 10_000;

/**
 * The base of every error this framework throws on purpose. `code` is stable across releases, so programs may branch on it;
 * the message names the offending value, what was expected, how to mend it and, for graph errors, the user's line.
 */
export class FlowMatchingError extends Error {
  /** Written out, here and in every class below, so that minifiers leave it as it is. */
  static override readonly name: string = 'FlowMatchingError';

  readonly code: string;
  readonly actual: unknown;
  readonly expected: string | undefined;
  readonly remedy: string | undefined;
  readonly callSite: CallSite | undefined;

  constructor(code: string, problem: string, details: ErrorDetails = {}) {
    const parts = [shorten(problem, longestProblem)];
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

/** Shapes that do not fit an operator, or an array that does not have the shape a program declares. */
export class ShapeError extends FlowMatchingError {
  static override readonly name: string = 'ShapeError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_SHAPE', problem, details);
  }
}

/** A dtype that an operator, a program or a backend does not take. */
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

/** A graph or a set of named arrays that is put together wrongly: a missing, unknown or duplicate name. */
export class GraphError extends FlowMatchingError {
  static override readonly name: string = 'GraphError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_GRAPH', problem, details);
  }
}

/** A derivative was asked of something that has none. */
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

/** An object of another copy of one of the framework's packages. */
export class CopyError extends FlowMatchingError {
  static override readonly name: string = 'CopyError';

  constructor(problem: string, details?: ErrorDetails) {
    super('FM_COPY', problem, details);
  }
}

/** Data that cannot be read or holds values that cannot be trained on. */
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
