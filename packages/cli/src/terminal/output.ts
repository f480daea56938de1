import { barProgress, lineProgress, silentProgress, type Progress } from './progress.ts';
import { writeText, type Surroundings } from './surroundings.ts';

export interface OutputOptions {
  /** Print one JSON document on stdout and nothing else. */
  readonly json?: boolean | undefined;
  /** Print no progress and no notes. */
  readonly quiet?: boolean | undefined;
}

/** The output of a command: results go to stdout, progress and notes to stderr. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The command ran, and its result is a failure: exit status 1. */
  failed = false;
  /** The signal that interrupted the command, if any. */
  interruptedBy: NodeJS.Signals | undefined;
  /** Whether the command stopped early because of it: exit status 128 + its number. */
  interrupted = false;
  readonly #streams: Surroundings;
  #progress: Progress | undefined;

  constructor(streams: Surroundings, { json = false, quiet = false }: OutputOptions) {
    this.#streams = streams;
    this.json = json;
    this.quiet = quiet;
  }

  /** Prints a note, unless --quiet. */
  note(text: string): void {
    if (!this.quiet) this.warn(text);
  }

  /** Prints a warning. */
  warn(text: string): void {
    this.#progress?.clear();
    writeText(this.#streams.stderr, `${text}\n`);
  }

  /** Prints the result: text, or the document with --json. */
  result(text: string, document: unknown): void {
    writeText(this.#streams.stdout, `${this.json ? JSON.stringify(document, null, 2) : text}\n`);
  }

  /** Shows progress: a bar on a terminal that can redraw a line, otherwise a line from time to time. End it before starting another. */
  progress(title: string, total: number): Progress {
    const { stderr } = this.#streams;
    this.#progress = this.quiet
      ? silentProgress
      : stderr.isTTY && process.env['TERM'] !== 'dumb'
        ? barProgress(stderr, title, total)
        : lineProgress(stderr, title, total);
    return this.#progress;
  }

  /** Ends the progress display and restores the terminal. */
  endProgress(): void {
    this.#progress?.end();
    this.#progress = undefined;
  }
}
