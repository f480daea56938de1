import { escapeName } from './escapeControls.ts';

/** An argument as a shell takes it: bare where nothing in it means something to a shell, between quotes elsewhere. */
export function quoteArgument(text: string): string {
  if (/^[\w./:=@,+-]+$/.test(text)) return text;
  // What a terminal does not show cannot be copied from it. POSIX has this form since 2024; bash, zsh and ksh always had it.
  if (escapeName(text) !== text) return `$'${Array.from(text, ansiQuoted).join('')}'`;
  // Windows' shells know double quotes only; between them a POSIX shell still reads these letters as its own.
  if (!/["$`\\!]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A path as an argument: one that begins with a dash would be taken for an option. */
export const quotePath = (path: string): string => quoteArgument(path.startsWith('-') ? `./${path}` : path);

/** A character between `$'` and `'`: as it is, or its bytes in octal. */
function ansiQuoted(character: string): string {
  if (character !== '\\' && character !== "'" && escapeName(character) === character) return character;
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
