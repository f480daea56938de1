import { parseArgs } from 'node:util';
import type { Grep } from './messages.ts';

/** Which tests the arguments of a mocha process choose. */
export function grepOf(words: readonly string[]): Grep {
  const { values } = parseArgs({
    args: [...words],
    strict: false,
    options: {
      grep: { type: 'string', short: 'g' },
      fgrep: { type: 'string', short: 'f' },
      invert: { type: 'boolean', short: 'i' },
    },
  });
  // Not strictly, it gives every other option too.
  const { grep, fgrep, invert } = values as Grep;
  return { ...(grep && { grep }), ...(fgrep && { fgrep }), ...(invert && { invert }) };
}
