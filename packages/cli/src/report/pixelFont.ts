// Seven rows of five pixels a letter: enough for the words and numbers on a picture, without a font file.
const glyphs: Readonly<Record<string, string>> = {
  '0': '01110 10001 10011 10101 11001 10001 01110',
  '1': '00100 01100 00100 00100 00100 00100 01110',
  '2': '01110 10001 00001 00010 00100 01000 11111',
  '3': '11111 00010 00100 00010 00001 10001 01110',
  '4': '00010 00110 01010 10010 11111 00010 00010',
  '5': '11111 10000 11110 00001 00001 10001 01110',
  '6': '00110 01000 10000 11110 10001 10001 01110',
  '7': '11111 00001 00010 00100 01000 01000 01000',
  '8': '01110 10001 10001 01110 10001 10001 01110',
  '9': '01110 10001 10001 01111 00001 00010 01100',
  '-': '00000 00000 00000 11111 00000 00000 00000',
  '.': '00000 00000 00000 00000 00000 01100 01100',
  a: '00000 00000 01110 00001 01111 10001 01111',
  d: '00001 00001 01101 10011 10001 10001 01111',
  e: '00000 00000 01110 10001 11111 10000 01110',
  l: '01100 00100 00100 00100 00100 00100 01110',
  m: '00000 00000 11010 10101 10101 10001 10001',
  p: '00000 00000 11110 10001 11110 10000 10000',
  s: '00000 00000 01110 10000 01110 00001 11110',
  t: '01000 01000 11100 01000 01000 01001 00110',
};

/** Width of a letter with its gap, in pixels of the font. */
export const advance = 6;

/** Calls `set` for every dark pixel of a text; letters the font lacks are left out. */
export function drawText(text: string, set: (x: number, y: number) => void): void {
  Array.from(text).forEach((letter, i) => {
    (glyphs[letter] ?? '')
      .split(' ')
      .forEach((row, y) => Array.from(row).forEach((pixel, x) => pixel === '1' && set(i * advance + x, y)));
  });
}
