import { type Files } from '@flow-matching/core';
import { DataError, oneLine } from '@flow-matching/tensor';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileError } from '../disk/fileError.ts';

/** Files of this machine, by paths relative to `directory`. */
export const nodeFiles = (directory: string): Files => ({
  async read(path) {
    const absolute = resolve(directory, path);
    try {
      const { buffer, byteOffset, length } = await readFile(absolute);
      // A plain Uint8Array, because slice() of Node's Buffer does not copy.
      return new Uint8Array(buffer, byteOffset, length);
    } catch (cause) {
      const { message } = fileError('read', absolute, cause);
      throw new DataError(message, {
        actual: path,
        expected: `a file, its path relative to ${oneLine(directory)}`,
        cause,
      });
    }
  },
});
