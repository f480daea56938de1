import { writeText, type Surroundings } from './surroundings.ts';

/** Prints the JSON document of a failed command with `--json`. */
export const printError = ({ stdout }: Surroundings, error: Readonly<Record<string, unknown>>): unknown =>
  writeText(stdout, `${JSON.stringify({ error }, null, 2)}\n`);
