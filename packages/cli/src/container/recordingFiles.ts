import type { Files } from '@flow-matching/core';
import { createHash } from 'node:crypto';

/** Identifies the content of a file. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

/** Files that record each file read, by its path as requested. */
export function recordingFiles(files: Files): {
  readonly files: Files;
  readonly records: ReadonlyMap<string, FileRecord>;
} {
  const records = new Map<string, FileRecord>();
  return {
    records,
    files: {
      async read(path) {
        const content = await files.read(path);
        records.set(path, { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
        return content;
      },
    },
  };
}
