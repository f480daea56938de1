/** Maximum length in bytes of UTF-8, which leaves room for a number in a file name of 255 bytes. */
const longest = 200;

/** An experiment's name as a folder name: without characters that file systems refuse, and not longer than they allow. */
export function folderName(name: string): string {
  const allowed = name.replaceAll(/[/\\:*?"<>|\p{Cc}]/gu, '-');
  let bytes = 0;
  let folder = '';
  for (const character of allowed) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > longest) break;
    folder += character;
  }
  return folder;
}
