import { DataError } from '@flow-matching/tensor';
import Papa from 'papaparse';
import { csvNumber, describeField, isValue } from './csvNumber.ts';
import { textBlocks } from './textBlocks.ts';

export interface CsvOptions {
  /** Whether the first row names the columns. By default it does if none of its fields is a number or a missing value. */
  readonly header?: boolean | undefined;
  /** Field separator. Default: a tab, semicolon, bar, comma or spaces, whichever the first line contains. */
  readonly delimiter?: string | undefined;
  /** The columns to read, by name or by number from 1. Default: all. */
  readonly columns?: readonly (string | number)[] | undefined;
}

export interface CsvTable {
  readonly columns: number;
  /** Finite, row-major. */
  readonly values: Float32Array;
}

/**
 * The numbers of a CSV file, in float32. Blank lines and lines that start with # are skipped; so is a delimiter at the end of a
 * row. Fortran exponents, 1.0D+00, are accepted.
 *
 * @throws DataError naming file, line and column: bytes that are not UTF-8 text, no rows, rows of different lengths, a field
 *   that is not a finite number, a missing column.
 */
export async function readCsv(
  file: string,
  bytes: Uint8Array,
  { header, delimiter, columns }: CsvOptions = {},
  blockSize?: number,
): Promise<CsvTable> {
  const table = new NumberTable(file, header, columns);
  let separator = delimiter;
  for (const { text, line } of textBlocks(file, bytes, blockSize)) {
    separator ??= guessDelimiter(text);
    const { data, errors } = Papa.parse<string[]>(separator === ' ' ? singleSpaced(text) : text, {
      delimiter: separator,
      newline: '\n',
    });
    const broken = errors.find(({ type }) => type === 'Quotes');
    if (broken)
      throw new DataError(`${file}, line ${line + (broken.row ?? 0)}: ${broken.message}.`, {
        expected: 'well-formed CSV',
        cause: broken,
      });
    const quoted = text.includes('"');
    let number = line;
    for (const fields of data) {
      table.add(fields, number);
      number++;
      // Quoted fields may span several lines.
      if (quoted) number += fields.join('').split('\n').length - 1;
    }
  }
  return table.finish();
}

/** Rows of numbers, appended as they are read. */
class NumberTable {
  readonly #file: string;
  readonly #header: boolean | undefined;
  readonly #chosen: readonly (string | number)[] | undefined;
  /** Number of fields per row; unknown before the first row. */
  #width = 0;
  #names: readonly string[] | undefined;
  /** Indices of the fields to read. */
  #columns: readonly number[] = [];
  #values = new Float32Array(1024);
  #count = 0;

  constructor(file: string, header: boolean | undefined, chosen: readonly (string | number)[] | undefined) {
    this.#file = file;
    this.#header = header;
    this.#chosen = chosen;
  }

  add(fields: readonly string[], line: number): void {
    if (fields.length === 1 && fields[0].trim() === '') return;
    if (this.#width === 0) {
      this.#width = fields.length > 1 && fields.at(-1)!.trim() === '' ? fields.length - 1 : fields.length;
      const named = this.#header ?? !fields.some((field) => isValue(field));
      if (named) this.#names = fields.slice(0, this.#width).map((name) => name.trim());
      this.#columns = this.#chosen ? this.#chosen.map((column) => this.#find(column)) : this.#all(line);
      if (named) return;
    }
    const width = this.#width;
    if (fields.length !== width && !(fields.length === width + 1 && fields[width].trim() === '')) {
      throw new DataError(`${this.#file}, line ${line} has ${fields.length} fields.`, {
        actual: fields.length,
        expected: `${width}, like the first row`,
      });
    }
    if (this.#count + width > this.#values.length) {
      const larger = new Float32Array(2 * this.#values.length + width);
      larger.set(this.#values);
      this.#values = larger;
    }
    for (const column of this.#columns) {
      const value = csvNumber(fields[column]);
      if (!Number.isFinite(value)) this.#refuse(fields, column, line);
      this.#values[this.#count++] = value;
    }
  }

  finish(): CsvTable {
    if (this.#count === 0)
      throw new DataError(`${this.#file} holds no rows of numbers.`, {
        actual: this.#names ?? 'nothing',
        expected: 'one row of numbers or more',
      });
    return { columns: this.#columns.length, values: this.#values.slice(0, this.#count) };
  }

  #all(line: number): number[] {
    const unnamed = this.#names?.indexOf('') ?? -1;
    if (unnamed >= 0) {
      throw new DataError(`${this.#file}, line ${line} gives column ${unnamed + 1} no name.`, {
        actual: this.#names,
        expected: 'a name for each column; pandas leaves that of its index empty',
        remedy: `Save with to_csv(index=False), or choose the columns with 'columns'.`,
      });
    }
    return Array.from({ length: this.#width }, (_, column) => column);
  }

  #find(column: string | number): number {
    const at = typeof column === 'number' ? column - 1 : (this.#names?.indexOf(column) ?? -1);
    if (at >= 0 && at < this.#width) return at;
    throw new DataError(`${this.#file} has no column ${typeof column === 'number' ? column : `'${column}'`}.`, {
      actual: column,
      expected: this.#names
        ? `one of ${this.#names.join(', ')}, or a number from 1 to ${this.#width}`
        : `a number from 1 to ${this.#width}: no row names the columns`,
    });
  }

  #refuse(fields: readonly string[], column: number, line: number): never {
    const field = fields[column];
    const { problem, expected, remedy } = describeField(field);
    const mayBeName = this.#count === 0 && !this.#names && this.#header === undefined && !isValue(field);
    const mended = mayBeName ? "If this line names the columns, set 'header: true'." : remedy;
    throw new DataError(`${this.#file}, line ${line}, column ${column + 1} ${problem}.`, {
      actual: field,
      expected,
      ...(mended !== undefined && { remedy: mended }),
    });
  }
}

/** The first of the usual separators that the first line contains, or spaces. A comma may be a decimal sign; such numbers are then refused. */
function guessDelimiter(text: string): string {
  const [first = '', second = first] = text.split('\n', 1000).filter((line) => line.trim() !== '');
  const separator = ['\t', ';', '|', ','].find((candidate) => first.includes(candidate));
  if (separator !== undefined) return separator;
  const [words, below] = [first, second].map((line) => line.trim().split(/\s+/).length);
  return words > 1 && words === below ? ' ' : ',';
}

const singleSpaced = (text: string): string =>
  text
    .replace(/[ \t]+/g, ' ')
    .replace(/(^|\n) /g, '$1')
    .replace(/ (?=\n|$)/g, '');
