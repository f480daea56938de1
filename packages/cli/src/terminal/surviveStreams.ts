import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { escapeControls } from './escapeControls.ts';

/**
 * Keeps a process running when its output cannot be written: the reader of a pipe has exited, the terminal was closed, the disk
 * is full. Progress and notes are then dropped silently. Results that could not be written to stdout are a failure, exit status
 * 1, unless the reader left: `| head` has read enough, and nobody watches a closed terminal.
 */
export function surviveStreams(process: NodeJS.Process): void {
  let lost: 'nothing' | 'reader' | 'results' = 'nothing';
  process.stderr.on('error', () => {});
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (lost !== 'nothing') return;
    lost = code === 'EPIPE' || process.stdout.isTTY ? 'reader' : 'results';
    if (lost === 'results')
      process.stderr.write(`error FM_FILE: Cannot write the results to stdout: ${escapeControls(message)}.\n`);
  });
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', (status) => {
    if (status === 0 && lost === 'results') process.exitCode = 1;
    // On exit Node restores its terminals, and aborts if one has been closed. It skips closed descriptors.
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
