import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A mistake in the arguments: shown with the usage, exit status 2. */
export class UsageError extends Error {}

/** The values of options. @throws UsageError for one that is not known or lacks its value. */
export function optionValues<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
): ReturnType<typeof parseArgs<{ args: string[]; options: Options }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

export const list = (value: string | undefined): string[] | undefined => value?.split(',').map((part) => part.trim());

/** @throws UsageError */
export function positive(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`--${name} is ${value}: a whole number was expected.`);
  return number;
}

/** Whether a work was asked for, by its id or the beginning of it. @throws UsageError for a beginning that none of `ids` has. */
export function chosenBy(only: readonly string[] | undefined, ids: readonly string[]): (id: string) => boolean {
  const mismatch = only?.find((start) => !ids.some((id) => id.startsWith(start)));
  if (mismatch !== undefined) throw new UsageError(`There is no work '${mismatch}': ${ids.join(', ')}.`);
  return (id) => only?.some((start) => id.startsWith(start)) ?? true;
}

/** The interpreter with the Python peers: the one asked for, or the environment's. */
export const askedPython = (value: string | undefined): string | undefined =>
  value ?? process.env['FLOW_MATCHING_BENCH_PYTHON'];
