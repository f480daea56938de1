import { readFileSync } from 'node:fs';
import type { Path } from '@flow-matching/core';
import { optimalTransport, trigonometric, varianceExploding, variancePreserving } from '../../src/index.ts';

/** The cases of a file under test/oracles. */
export function oracleCases<Case>(name: string): Case[] {
  const file = new URL(`../../../../test/oracles/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }).cases;
}

export interface PathCase {
  readonly path: string;
  readonly options: Readonly<Record<string, number>>;
}

const makers: Record<string, (options: Readonly<Record<string, number>>) => Path> = {
  'optimal-transport': (options) => optimalTransport(options),
  'variance-preserving': (options) => variancePreserving(options),
  'variance-exploding': (options) => varianceExploding(options),
  // The oracle integrates this one up to 0.999.
  'custom-trigonometric': () => ({ ...trigonometric(), interval: { start: 0, end: 0.999 } }),
};

/** The path that an oracle case names. */
export const pathOf = ({ path, options }: PathCase): Path => makers[path](options);
