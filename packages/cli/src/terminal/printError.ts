import { writeText, type Surroundings } from './surroundings.ts';

/** The one document on stdout that `--json` promises, where the command failed. */
export const printError = ({ stdout }: Surroundings, error: Readonly<Record<string, unknown>>): unknown =>
  writeText(stdout, `${JSON.stringify({ error }, null, 2)}\n`);
