import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk, type Disk } from '../disk/disk.ts';
import { fileError, systemCode } from '../disk/fileError.ts';
import { temporarySuffix, writeAtomically } from '../disk/writeAtomically.ts';
import { CheckpointError } from '../errors.ts';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './checkpoint.ts';

/** How many checkpoints are kept. */
const kept = 3;

const fileOf = (step: number): string => `${step}.safetensors`;

/** The checkpoints of one run: `STEP.safetensors` each, and `latest`, which names the newest. */
export class CheckpointStore {
  readonly #directory: string;
  readonly #disk: Disk;

  constructor(directory: string, disk: Disk = nodeDisk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /** Steps that have a checkpoint, rising. */
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

  /** Writes a checkpoint, points `latest` to it and drops the oldest ones. @throws FileError, NumericalError; the older checkpoints are then untouched. */
  async save(checkpoint: Checkpoint): Promise<string> {
    const { step } = checkpoint.state;
    await mkdir(this.#directory, { recursive: true });
    await writeAtomically(this.path(step), encodeCheckpoint(checkpoint), this.#disk);
    await writeAtomically(join(this.#directory, 'latest'), [`${fileOf(step)}\n`], this.#disk);
    const steps = await this.steps();
    for (const old of steps.filter((other) => other <= step).slice(0, -kept))
      await this.#disk.rm(this.path(old), { force: true });
    return this.path(step);
  }

  /** The checkpoint that `latest` names, or else the newest there is; undefined where there is none. @throws CheckpointError, FileError. */
  async latest(): Promise<Checkpoint | undefined> {
    const steps = await this.steps();
    const named = /^(\d+)\.safetensors\n?$/.exec(await this.#latestFile())?.[1];
    const step = named !== undefined && steps.includes(Number(named)) ? Number(named) : steps.at(-1);
    if (step === undefined) return undefined;
    const path = this.path(step);
    try {
      return decodeCheckpoint(path, await readFile(path));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw fileError('read', path, error);
      const older = steps.findLast((other) => other < step);
      throw new CheckpointError(error.message, {
        actual: path,
        remedy:
          older === undefined
            ? 'There is no older checkpoint: start a new run.'
            : `Remove it to go on from the checkpoint before, ${fileOf(older)}.`,
        cause: error,
      });
    }
  }

  /** Removes what a killed process left half written. */
  async removeLeftovers(): Promise<void> {
    for (const name of await this.#names())
      if (name.endsWith(temporarySuffix)) await this.#disk.rm(join(this.#directory, name), { force: true });
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
