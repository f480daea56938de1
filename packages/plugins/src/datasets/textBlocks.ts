import { DataError } from '@flow-matching/tensor';
import { foreignFormat } from './foreignFormat.ts';

/** Whole lines of a text, with the number of the first line, from 1. */
export interface TextBlock {
  readonly text: string;
  readonly line: number;
}

/** A longer line is an unclosed quote, or the file is not a table. Strings are also limited to half a gigabyte. */
const longestLine = 2 ** 26;

/**
 * A UTF-8 text in blocks of whole lines, with line endings converted to \n. Files of any size can be read this way, whereas one
 * string cannot hold more than 512 MiB. Lines that start with # become empty; a newline within double quotes does not end a
 * line.
 *
 * @param size approximate size of a block in bytes
 * @throws DataError if the bytes are not UTF-8 text, with a guess at their format, or if a line has more than 2²⁶ characters.
 */
export function* textBlocks(file: string, bytes: Uint8Array, size = 2 ** 22): Generator<TextBlock> {
  const format = foreignFormat(bytes);
  if (format !== undefined) throw notText(`${file} is ${format}`);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let line = 1;
  let carriageReturn = '';
  for (let at = 0; at < bytes.length; at += size) {
    const last = at + size >= bytes.length;
    let text = carriageReturn + decode(decoder, bytes.subarray(at, at + size), last);
    if (text.includes('\0') || text.includes(undecodable)) {
      const start = bytes.subarray(0, at).lastIndexOf(lineFeed) + 1;
      throw notText(`${file}, line ${firstBadByte(bytes, start, line + newlines(rest))}`);
    }
    // The next part shows whether a line feed follows.
    carriageReturn = !last && text.endsWith('\r') ? '\r' : '';
    if (carriageReturn) text = text.slice(0, -1);
    text = rest + (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text);
    const whole = last ? text.length : text.lastIndexOf('\n') + 1;
    const lines = withoutComments(text.slice(0, whole));
    const end = last ? lines.length : endOutsideQuotes(lines);
    if (end > 0) {
      const block = lines.slice(0, end);
      yield { text: block, line };
      line += newlines(block);
    }
    rest = lines.slice(end) + text.slice(whole);
    if (rest.length > longestLine) {
      throw new DataError(`${file}, line ${line} has more than ${longestLine} characters.`, {
        actual: rest.length,
        expected: 'rows of numbers',
        remedy: 'Close the quote, if one is open.',
      });
    }
  }
}

const lineFeed = 10;
/** Replaces bytes that are not UTF-8. */
const undecodable = '\uFFFF';

const notText = (problem: string): DataError =>
  new DataError(`${problem}.`, { expected: 'text in UTF-8', remedy: 'Convert the file.' });

function decode(decoder: TextDecoder, part: Uint8Array, last: boolean): string {
  try {
    return decoder.decode(part, { stream: !last });
  } catch {
    return undecodable;
  }
}

/** Line and value of the first byte that is invalid in UTF-8 text, and the likely encoding. */
function firstBadByte(bytes: Uint8Array, start: number, line: number): string {
  for (let from = start, number = line; from <= bytes.length; number++) {
    const feed = bytes.indexOf(lineFeed, from);
    const end = feed < 0 ? bytes.length : feed;
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(from, end));
    const [before] = text.split(/[\0\uFFFD]/u, 1);
    if (before.length < text.length) {
      const byte = bytes[from + new TextEncoder().encode(before).length];
      return `${number} holds the byte 0x${byte.toString(16).padStart(2, '0').toUpperCase()}, ${looksLike(byte, bytes)}`;
    }
    from = end + 1;
  }
  return `${line} is not UTF-8`;
}

function looksLike(byte: number, bytes: Uint8Array): string {
  if (byte > 0) return `which is not UTF-8 here; in Latin-1 it is '${String.fromCharCode(byte)}'`;
  const [first, second, third, fourth] = bytes;
  if (second === 0 && fourth === 0) return 'as UTF-16 (little-endian) does';
  if (first === 0 && third === 0) return 'as UTF-16 (big-endian) does';
  return 'which no text has';
}

const withoutComments = (text: string): string => (text.includes('#') ? text.replace(/(^|\n)#[^\n]*/g, '$1') : text);

/** The end of the last line that is not within quotes. */
function endOutsideQuotes(text: string): number {
  if (!text.includes('"')) return text.length;
  let open = false;
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') open = !open;
    else if (!open && text[i] === '\n') end = i + 1;
  }
  return end;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
