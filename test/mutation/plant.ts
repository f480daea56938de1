import type { Edit } from './edits.ts';

/** The file's text with the edit made; undefined where the text does not stand in it exactly once. */
export function plant(source: string, { text, replacement }: Edit): string | undefined {
  const at = source.indexOf(text);
  if (at < 0 || source.includes(text, at + 1)) return undefined;
  return source.slice(0, at) + replacement + source.slice(at + text.length);
}
