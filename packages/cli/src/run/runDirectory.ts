import { oneLine } from '@flow-matching/tensor';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CheckpointStore } from '../checkpoint/checkpointStore.ts';
import { fileError, systemCode } from '../disk/fileError.ts';
import { makeDirectory } from '../disk/makeDirectory.ts';
import { temporarySuffix, writeAtomically } from '../disk/writeAtomically.ts';
import { RunError } from '../errors.ts';
import { recordedText } from './runRecord.ts';
import { folderName } from './folderName.ts';
import { quotePath } from '../terminal/quoteArgument.ts';
import type { ResolvedExperiment } from '../experiment/resolveExperiment.ts';

/** The default folder of runs. */
export const runsFolder = 'runs';

/** The files of one run. */
export class RunDirectory {
  /** As the user named it. */
  readonly path: string;
  readonly checkpoints: CheckpointStore;

  constructor(path: string) {
    this.path = path;
    this.checkpoints = new CheckpointStore(join(path, 'checkpoints'));
  }

  get experimentFile(): string {
    return join(this.path, 'experiment.yaml');
  }
  get metricsFile(): string {
    return join(this.path, 'metrics.jsonl');
  }
  get resultsFile(): string {
    return join(this.path, 'results.json');
  }
  get samplesFile(): string {
    return join(this.path, 'samples.png');
  }
  get reportFile(): string {
    return join(this.path, 'report.html');
  }
  get lockFile(): string {
    return join(this.path, 'lock');
  }

  /** The command that continues this run, to be pasted into a shell. */
  get resumeCommand(): string {
    return `flow-matching train ${quotePath(this.path)} --resume`;
  }

  /** Whether a training was started here. */
  get hasExperiment(): boolean {
    return existsSync(this.experimentFile);
  }

  /** An existing run. @throws RunError. */
  static existing(path: string): RunDirectory {
    const run = new RunDirectory(path);
    if (run.hasExperiment) return run;
    throw new RunError(
      existsSync(path)
        ? `${oneLine(path)} is not a run directory: it has no experiment.yaml.`
        : `There is no run directory ${oneLine(path)}.`,
      {
        actual: path,
        expected: "a directory that 'flow-matching train' made",
        remedy: 'Train first: flow-matching train EXPERIMENT --run DIR.',
      },
    );
  }

  /** A new directory `runs/NAME-N` with the first free number. */
  static async numbered(name: string, parent: string = runsFolder): Promise<RunDirectory> {
    await makeDirectory(parent);
    const folder = folderName(name);
    for (let number = (await lastNumber(folder, parent)) + 1; Number.isSafeInteger(number); number++) {
      const path = join(parent, `${folder}-${number}`);
      try {
        await mkdir(path);
        return new RunDirectory(path);
      } catch (cause) {
        // Another training took the number meanwhile.
        if (systemCode(cause) !== 'EEXIST') throw fileError('make', path, cause);
      }
    }
    throw new RunError(`The runs of ${folder} in ${oneLine(parent)} are numbered up to ${Number.MAX_SAFE_INTEGER}.`, {
      actual: join(parent, `${folder}-${Number.MAX_SAFE_INTEGER}`),
      expected: 'a number that is free',
      remedy: 'Name a directory with --run.',
    });
  }

  /** The newest `runs/NAME-N`, if there is one. */
  static async newest(name: string, parent: string = runsFolder): Promise<RunDirectory | undefined> {
    const folder = folderName(name);
    const number = await lastNumber(folder, parent);
    return number === 0 ? undefined : new RunDirectory(join(parent, `${folder}-${number}`));
  }

  /** Creates the directory; a non-empty one is refused. @throws RunError, FileError. */
  async create(): Promise<void> {
    await makeDirectory(this.path);
    const found = await readdir(this.path);
    if (found.length === 0) return;
    throw new RunError(`The run directory ${oneLine(this.path)} is there already.`, {
      actual: found,
      expected: 'a new or an empty directory',
      remedy: this.hasExperiment
        ? 'Add --resume to continue it, or name another with --run.'
        : 'Name another with --run.',
    });
  }

  /** Makes sure that the directory exists, and that it contains a run or is empty. @throws RunError, FileError. */
  async prepare(): Promise<void> {
    await makeDirectory(this.path);
    if (this.hasExperiment) return;
    // Left by a training that was killed right after its start.
    const foreignEntries = (await readdir(this.path)).filter(
      (name) => !name.startsWith('lock') && !name.endsWith(temporarySuffix),
    );
    if (foreignEntries.length > 0) {
      throw new RunError(
        `${oneLine(this.path)} is not a run directory: it holds ${oneLine(foreignEntries[0])} and no experiment.yaml.`,
        {
          actual: foreignEntries,
          expected: 'a new or an empty directory, or a run',
          remedy: 'Name another with --run.',
        },
      );
    }
  }

  /** Saves the experiment with all its defaults and its environment, on which bitwise equality depends. */
  async saveExperiment(
    { experiment, directory }: ResolvedExperiment,
    environment: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const origin = relative(resolve(this.path), directory) || '.';
    const document = { ...experiment, environment: { directory: origin, ...environment } };
    await writeAtomically(this.experimentFile, [recordedText(document)]);
  }
}

/** The highest number of a folder `NAME-N`; 0 if there is none. Other folders with this prefix, and numbers above 2^53, are ignored. */
async function lastNumber(name: string, parent: string): Promise<number> {
  const entries = await readdir(parent).catch(() => []);
  return entries
    .filter((entry) => entry.startsWith(`${name}-`))
    .map((entry) => entry.slice(name.length + 1))
    .filter((digits) => /^[1-9]\d*$/.test(digits) && Number.isSafeInteger(Number(digits)))
    .reduce((highest, digits) => Math.max(highest, Number(digits)), 0);
}
