import { readFileSync } from 'node:fs';

/** An oracle file of test/oracles. */
export const oracle = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../oracles/${name}.json`, import.meta.url), 'utf8')) as T;
