import { oneLine } from '@flow-matching/tensor';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeDisk, type Disk } from '../disk/disk.ts';
import { fileError, systemCode } from '../disk/fileError.ts';
import { isUnsupported } from '../disk/unsupported.ts';
import { RunError } from '../errors.ts';

/** The holder of a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process in system ticks, if available: process ids are reused. */
  readonly began?: string | undefined;
  readonly token: string;
}

/** Tokens of the locks that this process holds. */
const heldHere = new Set<string>();

/** Number of attempts for a lock that others take and release meanwhile. */
const attempts = 100;
/** How often an empty lock is read again, milliseconds apart: on file systems without links it is filled after it is created. */
const emptyReads = 10;
const emptyInterval = 50;

/** Keeps a second training out of a run directory. Disposing releases it; a lock left by a killed process is recognized by the process id. */
export class RunLock implements AsyncDisposable {
  readonly #path: string;
  readonly #directory: string;
  readonly #holder: Holder;
  readonly #disk: Disk;

  private constructor(path: string, directory: string, holder: Holder, disk: Disk) {
    this.#path = path;
    this.#directory = directory;
    this.#holder = holder;
    this.#disk = disk;
    heldHere.add(holder.token);
  }

  /**
   * @throws RunError if a running process, or one on another machine, holds it, if the file is not a lock, or if a stale lock
   *   cannot be removed; FileError if the directory is not writable.
   */
  static async acquire(path: string, directory: string, disk: Disk = nodeDisk): Promise<RunLock> {
    const own: Holder = { pid: process.pid, host: hostname(), began: beginningOf(process.pid), token: randomUUID() };
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await putIfAbsent(path, JSON.stringify(own), disk)) return new RunLock(path, directory, own, disk);
      const found = await readLock(path, directory);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder && !isGone(holder)) throw heldError(holder, own, path, directory);
      await removeStale(path, found, directory, disk);
    }
    throw new RunError(`The lock of ${oneLine(directory)} could not be taken in ${attempts} attempts.`, {
      actual: path,
      expected: 'a lock file made by a training',
      remedy: `Remove ${oneLine(path)} if no training is running in ${oneLine(directory)}.`,
    });
  }

  /**
   * Makes sure that this process still holds the lock; a removed lock is restored.
   *
   * @throws RunError if another training has taken over the directory.
   */
  async verify(): Promise<void> {
    const text = JSON.stringify(this.#holder);
    const found = await readLock(this.#path, this.#directory);
    if (found === text || (found === undefined && (await putIfAbsent(this.#path, text, this.#disk)))) return;
    throw new RunError(`Another training has taken over ${this.#directory}.`, {
      actual: found,
      expected: `the lock of process ${process.pid} in ${oneLine(this.#path)}`,
      remedy: 'Train in another directory: name it with --run.',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    heldHere.delete(this.#holder.token);
    const found = await readFile(this.#path, 'utf8').catch(() => '');
    if (found === JSON.stringify(this.#holder)) await this.#disk.rm(this.#path, { force: true });
  }
}

function heldError(holder: Holder, own: Holder, path: string, directory: string): RunError {
  const elsewhere = holder.host === own.host ? '' : ` on ${holder.host}`;
  return new RunError(`Another training, process ${holder.pid}${elsewhere}, is writing to ${oneLine(directory)}.`, {
    actual: holder,
    remedy:
      elsewhere === ''
        ? 'Wait for it, stop it, or choose another --run.'
        : `Choose another --run, or remove ${oneLine(path)} if it is no longer running.`,
  });
}

/** A link appears with its content, so that no process sees an empty lock. Without links, the lock is filled after it is created. */
async function putIfAbsent(path: string, text: string, disk: Disk): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text);
    await disk.link(draft, path);
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    if (!isUnsupported(cause)) throw fileError('write', path, cause);
  } finally {
    await disk.rm(draft, { force: true });
  }
  try {
    const file = await disk.open(path, 'wx');
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw fileError('write', path, cause);
  }
}

/** The content of a lock; undefined if there is none. @throws RunError for anything but a file. */
async function readLock(path: string, directory: string): Promise<string | undefined> {
  for (let reads = 1; ; reads++) {
    try {
      const text = await readFile(path, 'utf8');
      if (text !== '' || reads === emptyReads) return text;
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return undefined;
      throw new RunError(`${oneLine(path)} is not the lock of a training: ${fileError('read', path, cause).message}`, {
        actual: path,
        expected: 'a file, or nothing',
        remedy: `Move it away if no training is running in ${oneLine(directory)}.`,
        cause,
      });
    }
    await sleep(emptyInterval);
  }
}

/** Moves the stale lock away, so that only one of two processes removes it; restores it if a valid lock was moved instead. @throws RunError. */
async function removeStale(path: string, found: string, directory: string, disk: Disk): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await disk.rename(path, aside);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return;
    throw new RunError(`The training that locked ${oneLine(directory)} is gone, and its lock cannot be removed.`, {
      actual: fileError('rename', path, cause).message,
      expected: 'a directory that may be written to',
      remedy: `Remove ${oneLine(path)}.`,
      cause,
    });
  }
  if ((await readFile(aside, 'utf8').catch(() => found)) === found) await disk.rm(aside, { force: true });
  else await disk.rename(aside, path);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isSafeInteger(holder.pid) &&
      holder.pid > 0 &&
      typeof holder.host === 'string' &&
      holder.host.length < 256
      ? holder
      : undefined;
  } catch {
    // Incomplete after a kill: not held by any process.
    return undefined;
  }
}

function isGone({ pid, host, began, token }: Holder): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return !heldHere.has(token);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
  return began !== undefined && began !== beginningOf(pid);
}

/** Field 22 of /proc/PID/stat; the second field, in parentheses, may contain spaces. */
function beginningOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\)\s/s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}
