import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { escapeControls } from './escapeControls.ts';

/**
 * Keeps a process working when nobody takes what it writes: the reader of a pipe has ended, the terminal was closed, the disk is full.
 * Progress and notes are then lost without a word. Results that stdout did not take are a failure, exit status 1, unless it was the
 * reader who left: `| head` has seen enough, and nobody waits at a terminal that was closed.
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
    // At its end Node restores the terminals it was given, and aborts where one has been closed. Descriptors that are closed it skips.
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
