import { constants } from 'node:os';

export const exitStatus = { done: 0, failed: 1, usage: 2 } as const;

/** The exit status that shells use for a process ended by a signal: 130 for Ctrl-C. */
export const interruptStatus = (signal: NodeJS.Signals = 'SIGINT'): number => 128 + constants.signals[signal];
