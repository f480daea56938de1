import type { Work } from './works.ts';

/** Something that does the work and is timed at it: one of our backends, or a peer. */
export interface Subject {
  readonly name: string;
  /** Compiles and warms up. @throws where the subject cannot do this work. */
  prepare(work: Work): Promise<PreparedWork>;
  /** Ends whatever runs on the subject's behalf. */
  close(): Promise<void>;
}

export interface PreparedWork {
  /** Evaluations of the field in one solve. */
  readonly evaluations?: number | undefined;
  /** Milliseconds an operation, for each of `timings` timings. What runs first after a pause is not timed. */
  measure(timings: number): Promise<number[]>;
  /** A number by which results are compared: the last loss, the mean square of the samples, the mean log-likelihood. */
  check(): Promise<number>;
  release(): Promise<void>;
}
