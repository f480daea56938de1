import { FlowMatchingError } from '@flow-matching/tensor';
import { CommanderError } from 'commander';
import { mutate } from './mutate.ts';
import { FuzzRandom } from './random.ts';
import type { FuzzTarget } from './targets.ts';

/** One input: which target reads it, and its bytes. A function of seed and index alone. */
export interface FuzzCase {
  readonly target: FuzzTarget;
  readonly input: Uint8Array;
}

export function fuzzCase(targets: readonly FuzzTarget[], seed: number, index: number): FuzzCase {
  const random = new FuzzRandom(seed, index);
  const target = targets[index % targets.length];
  return { target, input: mutate(random.pick(target.samples), target.samples, random) };
}

/** Arrays and buffers that one input of a few kilobytes may leave behind. */
const mostMemory = 2 ** 30;

/** What is wrong with how an input is read; undefined where it is accepted, or refused by a typed error. */
export async function problemOf({ target, input }: FuzzCase): Promise<string | undefined> {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  let problem: string | undefined;
  try {
    await target.read(input);
  } catch (error) {
    if (!(error instanceof FlowMatchingError || error instanceof CommanderError)) {
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    } else if (error.message.length > 20_000) {
      problem = `The message has ${error.message.length} characters: ${error.message.slice(0, 200)}…`;
    }
  }
  if (Object.getOwnPropertyNames(Object.prototype).length !== before) {
    return `Object.prototype was changed: ${Object.getOwnPropertyNames(Object.prototype).slice(before).join(', ')}`;
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  if (arrayBuffers + heapUsed > mostMemory) problem ??= `It takes ${arrayBuffers + heapUsed} bytes of memory.`;
  return problem;
}
