import type { TrainingReport } from '@flow-matching/core';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { fileError, systemCode } from '../disk/fileError.ts';
import { writeAtomically } from '../disk/writeAtomically.ts';

/** One line of metrics.jsonl. */
export type Metrics = Omit<TrainingReport, 'steps'>;

/** metrics.jsonl: one JSON object a line, appended as the training goes. */
export class MetricsLog implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens the log for the steps after `step`; lines beyond it are dropped, because these steps will be made again. @throws FileError. */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const lines = await readMetrics(path);
    const kept = lines.filter((line) => line.step <= step);
    await writeAtomically(path, [kept.map((line) => `${JSON.stringify(line)}\n`).join('')]);
    try {
      return new MetricsLog(path, await open(path, 'a'));
    } catch (cause) {
      throw fileError('write', path, cause);
    }
  }

  async append(metrics: Metrics): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(metrics)}\n`);
    } catch (cause) {
      throw fileError('write', this.#path, cause);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/** The lines of a log; a last one that a kill cut short is left out. @throws FileError. */
export async function readMetrics(path: string): Promise<Metrics[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw fileError('read', path, cause);
  }
  return text.split('\n').flatMap((line) => {
    try {
      const metrics: unknown = JSON.parse(line);
      return isMetrics(metrics) ? [metrics] : [];
    } catch {
      return [];
    }
  });
}

const isMetrics = (value: unknown): value is Metrics =>
  typeof value === 'object' && value !== null && 'step' in value && Number.isSafeInteger(value.step);
