import type { Backend, DType, HostRandomStream } from '@flow-matching/tensor';
import type { Level } from './level.ts';
import type { Measurement } from './measurement.ts';
import type { Note } from './note.ts';

/** One claim that is checked on a backend. */
export interface ConformanceCase {
  /** Stable id, from the level to the narrowest part: `L1/Add/f32/a row`. `filter` and the rerun command use it. */
  readonly id: string;
  readonly level: Level;
  /** The dtype that the case is counted under; absent if it is about no single dtype. */
  readonly dtype?: DType;
  /** The claim in a sentence, with its source: an equation, an ONNX operator or node case. */
  readonly claim: string;
  /**
   * Checks the claim. An operator or dtype that the backend's manifest does not declare ends the case as unsupported, a
   * ConformanceError as a failure, any other error as an error.
   */
  run(context: CaseContext): Promise<void>;
}

export interface CaseContext {
  /** Shared by all cases of a run. A case disposes what it creates, never the backend. Refuses graphs beyond its manifest. */
  readonly backend: Backend;
  /** Creates another backend of the same kind, which the case disposes. */
  readonly create: () => Promise<Backend>;
  readonly seed: number;
  /** Random draws that depend only on the seed and the case's id. */
  readonly random: HostRandomStream;
  /** Records the error of a result. A ratio above 1, or NaN, fails the case; the worst one is reported. */
  measure(measurement: Measurement): void;
  /** Reports a quantity without a limit. */
  note(note: Note): void;
}
