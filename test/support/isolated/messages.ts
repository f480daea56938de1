/** What the child is told, as its one argument in JSON. */
export interface ChildOptions {
  readonly files: readonly string[];
  /** Milliseconds a test may take that says nothing else. */
  readonly timeout: number;
  /** Mocha's options that choose tests. */
  readonly grep: Grep;
  /** URL of a module whose `takeFaults` gives what went wrong outside the tests' sight. */
  readonly faults?: string | undefined;
}

export interface Grep {
  readonly grep?: string;
  readonly fgrep?: string;
  readonly invert?: boolean;
}

/** A suite of the child. A test's number is its place among all. */
export interface ListedSuite {
  readonly title: string;
  readonly tests: readonly { readonly title: string; readonly index: number }[];
  readonly suites: readonly ListedSuite[];
}

export interface SentError {
  readonly message: string;
  readonly stack?: string | undefined;
  /** What mocha shows as a difference. */
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** What the child says, a line of JSON each: its tests, then, once told to go, how they end. */
export type Message =
  | { readonly kind: 'listed'; readonly root: ListedSuite }
  | { readonly kind: 'began'; readonly index: number }
  | { readonly kind: 'ended'; readonly index: number; readonly state: 'passed' | 'skipped' }
  | { readonly kind: 'ended'; readonly index: number; readonly state: 'failed'; readonly error: SentError }
  /** A hook failed, or something did between tests. */
  | { readonly kind: 'trouble'; readonly error: SentError }
  | { readonly kind: 'done' };

/** The descriptor on which the child speaks: nothing that a test prints gets in between, and what was said before a crash is read. */
export const speechDescriptor = 3;
