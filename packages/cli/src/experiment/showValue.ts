import { shorten } from '@flow-matching/tensor';

/** A value of an experiment as written in its file, for messages: with `.inf` and `.nan`, long values truncated. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (typeof value === 'number') return showNumber(value);
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part)
      ? `\0${showNumber(part)}\0`
      : typeof part === 'bigint'
        ? String(part)
        : part,
  );
  return shorten(text.replace(/"\\u0000(.*?)\\u0000"/g, '$1'));
}

const showNumber = (value: number): string =>
  Number.isNaN(value) ? '.nan' : Number.isFinite(value) ? String(value) : value > 0 ? '.inf' : '-.inf';
