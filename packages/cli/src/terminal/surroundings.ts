import { escapeControls } from './escapeControls.ts';

/** A stream to write to, which may be a terminal. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Writes lines of text. Control characters, which file names and keys may contain, are escaped. */
export const writeText = (stream: TextStream, text: string): unknown => stream.write(escapeControls(text));

/** The parts of its process that the command uses. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: NodeJS.WriteStream;
}
