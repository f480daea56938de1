import { oneLine } from '@flow-matching/tensor';
import type { TrainingReport } from '@flow-matching/core';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { fileError, systemCode } from '../disk/fileError.ts';
import { writeAtomically } from '../disk/writeAtomically.ts';

/** One line of metrics.jsonl. */
export type Metrics = Omit<TrainingReport, 'steps'>;

/** A line of metrics.jsonl that is not a report but an event of the run. */
export interface MetricsEvent {
  /** The step of the training. */
  readonly step: number;
  readonly event: string;
  readonly [detail: string]: unknown;
}

/** metrics.jsonl: one JSON object per line, appended during training. */
export class MetricsLog implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the log for the steps after `step`. Later lines are dropped, because these steps will be repeated, and so are invalid
   * lines.
   *
   * @throws FileError.
   */
  static async open(path: string, step: number, warn: (text: string) => void): Promise<MetricsLog> {
    const kept = (await readLines(path, warn)).filter((line) => line.step <= step);
    await writeAtomically(path, [kept.map((line) => `${JSON.stringify(line)}\n`).join('')]);
    try {
      return new MetricsLog(path, await open(path, 'a'));
    } catch (cause) {
      throw fileError('write', path, cause);
    }
  }

  async append(line: Metrics | MetricsEvent): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    } catch (cause) {
      throw fileError('write', this.#path, cause);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/**
 * The reports of a log. An incomplete last line of a killed process is skipped; other invalid lines are skipped with a call of
 * `warn`. @throws FileError.
 */
export async function readMetrics(path: string, warn: (text: string) => void): Promise<Metrics[]> {
  return (await readLines(path, warn)).filter((line): line is Metrics => !('event' in line));
}

async function readLines(path: string, warn: (text: string) => void): Promise<(Metrics | MetricsEvent)[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw fileError('read', path, cause);
  }
  const parsed = text.split('\n').map(parseLine);
  // The last one is empty, or incomplete after a kill.
  const broken = parsed.slice(0, -1).flatMap((line, i) => (line ? [] : [i + 1]));
  if (broken.length > 0)
    warn(
      `${oneLine(path)}: ${broken.length === 1 ? `line ${broken[0]} is` : `${broken.length} lines, the first of them line ${broken[0]}, are`} not understood and left out.`,
    );
  return parsed.filter((line) => line !== undefined);
}

function parseLine(text: string): Metrics | MetricsEvent | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return undefined;
  const { step, event, loss, seconds, ...others } = line as Record<string, unknown>;
  if (!Number.isSafeInteger(step)) return undefined;
  if (typeof event === 'string') return line as MetricsEvent;
  // An infinite gradient norm is null in JSON.
  const numbers = [others['gradientNorm'], others['learningRate'], others['skipped']].every(
    (value) => value === undefined || value === null || typeof value === 'number',
  );
  return numbers && Number.isFinite(loss) && Number.isFinite(seconds) ? (line as Metrics) : undefined;
}
