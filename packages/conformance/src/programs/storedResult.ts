import type { ProgramResult } from './programResult.ts';
import { storedResults } from './storedResults.ts';

/** The result of the program whose training step has this hash; undefined if none is stored, for example after a change of its graph. */
export function storedResult(hash: string): ProgramResult | undefined {
  const stored = (storedResults as Readonly<Record<string, (typeof storedResults)[string] | undefined>>)[hash];
  if (!stored) return undefined;
  const decoded = Object.entries(stored).map(([name, { values, effect }]) => [
    name,
    { values: new Float64Array(bytesOf(values)), effect: new Float32Array(bytesOf(effect)) },
  ]);
  return Object.fromEntries(decoded) as ProgramResult;
}

const bytesOf = (text: string): ArrayBuffer =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
