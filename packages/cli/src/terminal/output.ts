import { barProgress, lineProgress, silentProgress, type Progress } from './progress.ts';
import { writeText, type Surroundings } from './surroundings.ts';

export interface OutputOptions {
  /** One JSON document on stdout, and nothing else there. */
  readonly json?: boolean | undefined;
  /** No progress and no notes. */
  readonly quiet?: boolean | undefined;
}

/** Where a command's words go: results to stdout, progress and notes to stderr. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The command did what it was asked to, and what it found is a failure: exit status 1. */
  failed = false;
  /** The signal that asked the command to stop, where one did. */
  interruptedBy: NodeJS.Signals | undefined;
  /** The command stopped short because of it: exit status 128 + its number. */
  interrupted = false;
  readonly #streams: Surroundings;
  #progress: Progress | undefined;

  constructor(streams: Surroundings, { json = false, quiet = false }: OutputOptions) {
    this.#streams = streams;
    this.json = json;
    this.quiet = quiet;
  }

  /** What happens on the way; not with --quiet. */
  note(text: string): void {
    if (!this.quiet) this.warn(text);
  }

  /** What the user has to know. */
  warn(text: string): void {
    this.#progress?.clear();
    writeText(this.#streams.stderr, `${text}\n`);
  }

  /** What was asked for: text for people, or the document in its place. */
  result(text: string, document: unknown): void {
    writeText(this.#streams.stdout, `${this.json ? JSON.stringify(document, null, 2) : text}\n`);
  }

  /** Shows how far some work is: a bar on a terminal that can redraw a line, a line now and then elsewhere. End it before starting another. */
  progress(title: string, total: number): Progress {
    const { stderr } = this.#streams;
    this.#progress = this.quiet
      ? silentProgress
      : stderr.isTTY && process.env['TERM'] !== 'dumb'
        ? barProgress(stderr, title, total)
        : lineProgress(stderr, title, total);
    return this.#progress;
  }

  /** Leaves the terminal as it was. */
  endProgress(): void {
    this.#progress?.end();
    this.#progress = undefined;
  }
}
