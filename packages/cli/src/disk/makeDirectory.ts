import { mkdir } from 'node:fs/promises';
import { fileError } from './fileError.ts';

/** Makes a directory, and those it lies in, where they do not exist yet. @throws FileError. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw fileError('make', path, cause);
  }
}
