import { shorten } from '@flow-matching/tensor';

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const fortran = /^([+-]?(?:\d+\.?\d*|\.\d+))d([+-]?\d+)$/i;
const notFinite = /^[+-]?(?:nan|inf|infinity)$/i;
const missing = /^(?:na|n\/a|#n\/a|null|none|-|\?)$/i;
const decimalComma = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
const foreignMinus = /^[\u2010-\u2015\u2212\uFE63\uFF0D][\d.]/;

/** The number in a field of a CSV file, rounded to float32; NaN if it is not a number, infinite beyond the range of float32. */
export function csvNumber(field: string): number {
  const text = field.trim();
  if (decimal.test(text)) return Math.fround(Number(text));
  return fortran.test(text) ? Math.fround(Number(text.replace(/d/i, 'e'))) : NaN;
}

/** Whether a field is meant as a value, well-formed or not, rather than as a column name. */
export function isValue(field: string): boolean {
  const text = field.trim();
  return [decimal, fortran, notFinite, missing, decimalComma, foreignMinus].some((pattern) => pattern.test(text));
}

/** Explains why a field is not a number. */
export function describeField(field: string): { problem: string; expected: string; remedy?: string } {
  const text = field.trim();
  const shown = shorten(text, 40);
  const expected = 'a finite number';
  if (text === '') return { problem: 'is empty', expected, remedy: 'Fill in or leave out rows with missing values.' };
  const problem = `holds '${shown}'`;
  if (notFinite.test(text) || missing.test(text)) {
    return { problem, expected, remedy: 'Fill in or leave out rows with missing values.' };
  }
  if (decimalComma.test(text)) return { problem, expected: 'a decimal point', remedy: 'Write 0.5 for 0,5.' };
  if (foreignMinus.test(text)) {
    const code = text.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return { problem: `${problem}, whose sign is the character U+${code}`, expected: 'the sign -' };
  }
  if (decimal.test(text) || fortran.test(text)) return { problem, expected: 'a number that is finite in float32' };
  return { problem, expected, remedy: "Choose the columns that hold coordinates with 'columns'." };
}
