/** An argument as a shell takes it: bare where nothing in it means something to a shell, between quotes elsewhere. */
export function quoteArgument(text: string): string {
  if (/^[\w./:=@,+-]+$/.test(text)) return text;
  // Windows' shells know double quotes only; between them a POSIX shell still reads these letters as its own.
  if (!/["$`\\!]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
