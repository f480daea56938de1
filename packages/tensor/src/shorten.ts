/** External text for a message, truncated if it is long. */
export const shorten = (text: string, length = 100): string =>
  text.length > length ? `${text.slice(0, length)}… (${text.length} characters)` : text;
