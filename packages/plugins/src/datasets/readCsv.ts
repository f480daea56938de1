import { DataError } from '@flow-matching/core';

export interface CsvOptions {
  /** Whether the first row names the columns; by default it does where none of its fields is a number. */
  readonly header?: boolean;
  /** What separates fields: by default a tab, semicolon, bar or comma, whichever the first line has. */
  readonly delimiter?: string;
}

export interface CsvTable {
  readonly columns: number;
  /** Row-major. */
  readonly values: Float64Array;
  /** For each row its number in the file, from 1. */
  readonly rowNumbers: readonly number[];
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const isNumeric = (field: string): boolean => decimal.test(field.trim());
const isBlank = (row: readonly string[]): boolean => row.every((field) => field.trim() === '') && row.length === 1;

/**
 * The numbers of a CSV file. Blank lines and lines that start with # are skipped.
 *
 * @throws DataError naming file, row and column: no rows, rows of different lengths, a field that is no finite number.
 */
export async function readCsv(
  file: string,
  bytes: Uint8Array,
  { header, delimiter }: CsvOptions = {},
): Promise<CsvTable> {
  const text = decode(file, bytes);
  // Loaded when it is needed: it is large, and few pages read a file.
  const { default: Papa } = await import('papaparse');
  const parsed = Papa.parse<string[]>(text, { delimiter: delimiter ?? guessDelimiter(text) });
  const broken = parsed.errors.find(({ type }) => type === 'Quotes');
  if (broken)
    throw new DataError(`${file}, row ${(broken.row ?? 0) + 1}: ${broken.message}.`, {
      expected: 'well-formed CSV',
      cause: broken,
    });
  const rows = parsed.data
    .map((fields, i) => ({ fields, number: i + 1 }))
    .filter(({ fields }) => !isBlank(fields) && !fields[0].startsWith('#'));
  const named = rows.length > 0 && (header ?? !rows[0].fields.some((field) => isNumeric(field)));
  const columns = rows[0]?.fields.length ?? 0;
  const body = named ? rows.slice(1) : rows;
  if (body.length === 0)
    throw new DataError(`${file} holds no rows of numbers.`, {
      actual: parsed.data.length,
      expected: 'one row of numbers or more',
    });
  const values = new Float64Array(body.length * columns);
  body.forEach(({ fields, number }, i) => {
    if (fields.length !== columns) {
      throw new DataError(`${file}, row ${number} has ${fields.length} fields.`, {
        actual: fields.length,
        expected: `${columns}, as the first row has`,
      });
    }
    fields.forEach((field, column) => (values[i * columns + column] = numberIn(file, field, number, column + 1)));
  });
  return { columns, values, rowNumbers: body.map(({ number }) => number) };
}

/** The first of the usual separators that the first line of data has. A comma comes last: it may be a decimal sign, and must then be refused. */
function guessDelimiter(text: string): string {
  const line = text.split(/\r\n|\n|\r/).find((each) => each.trim() !== '' && !each.startsWith('#')) ?? '';
  return ['\t', ';', '|'].find((candidate) => line.includes(candidate)) ?? ',';
}

function numberIn(file: string, field: string, row: number, column: number): number {
  if (isNumeric(field)) return Number(field);
  throw new DataError(`${file}, row ${row}, column ${column} holds '${field}'.`, {
    actual: field,
    expected: 'a finite number',
  });
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${file} is not UTF-8 text.`, { expected: 'text in UTF-8', cause });
  }
}
