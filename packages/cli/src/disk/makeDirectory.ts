import { mkdir } from 'node:fs/promises';
import { fileError } from './fileError.ts';

/** Creates a directory and its parents if they do not exist. @throws FileError. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw fileError('make', path, cause);
  }
}
