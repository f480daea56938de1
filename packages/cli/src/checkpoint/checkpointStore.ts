import { oneLine } from '@flow-matching/tensor';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk, type Disk } from '../disk/disk.ts';
import { fileError, systemCode } from '../disk/fileError.ts';
import { temporarySuffix, writeAtomically } from '../disk/writeAtomically.ts';
import { CheckpointError } from '../errors.ts';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './checkpoint.ts';

/** Number of checkpoints that are kept. */
const kept = 3;

const fileOf = (step: number): string => `${step}.safetensors`;

export interface LatestOptions {
  /** Whether an unreadable checkpoint is an error even if an earlier one can be read. */
  readonly strict?: boolean | undefined;
  /** Called for each skipped checkpoint, after another one was read. */
  readonly onSkipped?: ((step: number, reason: CheckpointError) => void) | undefined;
}

/** The checkpoints of one run: `STEP.safetensors` each, and `latest`, which names the newest. */
export class CheckpointStore {
  readonly #directory: string;
  readonly #disk: Disk;

  constructor(directory: string, disk: Disk = nodeDisk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /** Steps that have a checkpoint, ascending. */
  async steps(): Promise<number[]> {
    const names = await this.#names();
    return names
      .flatMap((name) => /^(\d+)\.safetensors$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  path(step: number): string {
    return join(this.#directory, fileOf(step));
  }

  /**
   * Writes a checkpoint, points `latest` to it and removes the oldest ones. @throws FileError or NumericalError; older
   * checkpoints are then unchanged.
   */
  async save(checkpoint: Checkpoint): Promise<string> {
    const { step } = checkpoint.state;
    await this.#makeDirectory();
    await writeAtomically(this.path(step), encodeCheckpoint(checkpoint), this.#disk);
    await writeAtomically(join(this.#directory, 'latest'), [`${fileOf(step)}\n`], this.#disk);
    const steps = await this.steps();
    for (const old of steps.filter((other) => other <= step).slice(0, -kept))
      await this.#disk.rm(this.path(old), { force: true });
    return this.path(step);
  }

  /**
   * The checkpoint that `latest` names, else the newest; undefined if there is none. If one cannot be read, the one before it
   * is used, unless `strict`.
   *
   * @throws CheckpointError if none can be read, or if `strict` and the first cannot; FileError.
   */
  async latest({ strict = false, onSkipped = () => {} }: LatestOptions = {}): Promise<Checkpoint | undefined> {
    const steps = await this.#byPreference();
    const failures: CheckpointError[] = [];
    for (const step of steps) {
      try {
        const checkpoint = await this.#read(step);
        for (const [i, failure] of failures.entries()) onSkipped(steps[i], failure);
        return checkpoint;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        failures.push(error);
        if (strict) break;
      }
    }
    const [first] = failures;
    if (!first) return undefined;
    const next = strict ? steps[1] : undefined;
    throw new CheckpointError(
      strict || failures.length === 1
        ? first.message
        : `None of the ${failures.length} checkpoints in ${oneLine(this.#directory)} can be read. ${first.message}`,
      {
        actual: failures.map(({ message }) => message),
        remedy:
          next === undefined
            ? 'There is no older checkpoint: start a new run.'
            : `Leave out --strict to continue from the previous checkpoint, ${fileOf(next)}.`,
        cause: first,
      },
    );
  }

  /**
   * Steps that have a checkpoint: first the one that `latest` names (an interrupted save may not have updated it), then the
   * others, newest first.
   */
  async #byPreference(): Promise<number[]> {
    const steps = (await this.steps()).toReversed();
    const named = Number(/^(\d+)\.safetensors\n?$/.exec(await this.#latestFile())?.[1]);
    return steps.includes(named) ? [named, ...steps.filter((step) => step !== named)] : steps;
  }

  /** @throws CheckpointError. */
  async #read(step: number): Promise<Checkpoint> {
    const path = this.path(step);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      const { message } = fileError('read', path, cause);
      throw new CheckpointError(message, { actual: path, expected: 'a file that can be read', cause });
    }
    return decodeCheckpoint(path, bytes);
  }

  /** Removes partial files of a killed process. */
  async removeLeftovers(): Promise<void> {
    for (const name of await this.#names())
      if (name.endsWith(temporarySuffix)) await this.#disk.rm(join(this.#directory, name), { force: true });
  }

  /** Does not create the run's directory: if that was removed, a checkpoint alone is not a run. */
  async #makeDirectory(): Promise<void> {
    try {
      await mkdir(this.#directory);
    } catch (cause) {
      if (systemCode(cause) !== 'EEXIST') throw fileError('make', this.#directory, cause);
    }
  }

  async #latestFile(): Promise<string> {
    try {
      return await readFile(join(this.#directory, 'latest'), 'utf8');
    } catch {
      return '';
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory);
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return [];
      throw fileError('list', this.#directory, cause);
    }
  }
}
