const lineBreaks = /[\t\n\r\u0085\u2028\u2029]/g;

/** A name for a message, on one line: tabs and line breaks are escaped as JSON does (`\u000a`). */
export const oneLine = (name: string): string =>
  name.replaceAll(lineBreaks, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Text without what follows the first `length` characters. */
export const truncate = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}… (${text.length} characters)` : text;

/** External text for a message: on one line, and truncated if it is long. */
export const shorten = (text: string, length = 100): string => oneLine(truncate(text, length));
