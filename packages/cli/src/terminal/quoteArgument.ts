import { escapeName } from './escapeControls.ts';

/** An argument quoted for a shell: unquoted if it contains no special characters. */
export function quoteArgument(text: string): string {
  if (/^[\w./:=@,+-]+$/.test(text)) return text;
  // Invisible characters cannot be copied from a terminal. This form is in POSIX since 2024; bash, zsh and ksh always had it.
  if (escapeName(text) !== text) return `$'${Array.from(text, ansiQuoted).join('')}'`;
  // Windows shells only support double quotes; inside them a POSIX shell still interprets these characters.
  if (!/["$`\\!]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A path as an argument: one that starts with a dash would be taken for an option. */
export const quotePath = (path: string): string => quoteArgument(path.startsWith('-') ? `./${path}` : path);

/** A character between `$'` and `'`: unchanged, or its bytes in octal. */
function ansiQuoted(character: string): string {
  if (character !== '\\' && character !== "'" && escapeName(character) === character) return character;
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
