import type { Backend, DType, HostRandomStream } from '@flow-matching/tensor';
import type { Level } from './level.ts';
import type { Measurement } from './measurement.ts';
import type { Note } from './note.ts';

/** One claim that is checked on a backend. */
export interface ConformanceCase {
  /** Stable, with the level first and the narrowest part last: `L1/Add/f32/a row`. What `filter` and the rerun command name. */
  readonly id: string;
  readonly level: Level;
  /** What its row is counted under; absent where no single dtype is meant. */
  readonly dtype?: DType;
  /** The claim in a sentence, with its source: an equation, an ONNX operator or node case. */
  readonly claim: string;
  /**
   * Checks the claim. What the backend's manifest does not declare ends the case as unsupported; a ConformanceError as a failure;
   * any other error as an error.
   */
  run(context: CaseContext): Promise<void>;
}

export interface CaseContext {
  /** Shared by all cases of a run; a case disposes what it makes, never the backend. Refuses graphs beyond its manifest. */
  readonly backend: Backend;
  /** Another backend of the same kind, which the case disposes. */
  readonly create: () => Promise<Backend>;
  readonly seed: number;
  /** Draws that depend on the seed and the case's id alone. */
  readonly random: HostRandomStream;
  /** Records how far a result is from what it should be. A ratio above 1, or NaN, fails the case; the worst one is reported. */
  measure(measurement: Measurement): void;
  /** Reports a quantity that no limit judges. */
  note(note: Note): void;
}
