/** A stream to write to, which may be a terminal. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** What the command touches of its process. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: NodeJS.WriteStream;
}
