import { escapeControls } from './escapeControls.ts';

/** A stream to write to, which may be a terminal. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Writes lines of text, whose file names and keys may hold anything: control characters are escaped. */
export const writeText = (stream: TextStream, text: string): unknown => stream.write(escapeControls(text));

/** What the command touches of its process. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: NodeJS.WriteStream;
}
