import type { ConformanceReport, Level } from '@flow-matching/conformance';

/** What a test asks of the page, which has it as the global `harness`. */
export interface Harness {
  /** What WebGPU runs on there, for people. */
  adapter(): Promise<string | undefined>;
  conformance(selection: ConformanceSelection): Promise<ConformanceReport>;
  trainingLosses(): Promise<number[]>;
}

export interface ConformanceSelection {
  readonly levels?: readonly Level[];
  /** Whole ids of cases. */
  readonly ids?: readonly string[];
  /** A regular expression of ids to leave out. */
  readonly except?: string;
}

declare global {
  var harness: Harness;
}
