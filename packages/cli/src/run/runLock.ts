import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileError, systemCode } from '../disk/fileError.ts';
import { RunError } from '../errors.ts';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's ticks, where the system tells: numbers of processes are used again. */
  readonly began?: string | undefined;
  readonly token: string;
}

/** Keeps a second training out of a run directory. Released by disposing; what a killed process left is found by its number. */
export class RunLock implements AsyncDisposable {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** @throws RunError where a living process, or one on another machine, holds it. */
  static async acquire(path: string, directory: string): Promise<RunLock> {
    const own: Holder = { pid: process.pid, host: hostname(), began: beginningOf(process.pid), token: randomUUID() };
    const text = JSON.stringify(own);
    for (;;) {
      if (await putIfAbsent(path, text)) return new RunLock(path, text);
      const found = await readFile(path, 'utf8').catch(() => '');
      const holder = parseHolder(found);
      if (holder && !isGone(holder)) {
        const elsewhere = holder.host === own.host ? '' : ` on ${holder.host}`;
        throw new RunError(`Another training, process ${holder.pid}${elsewhere}, is writing to ${directory}.`, {
          actual: holder,
          remedy:
            elsewhere === ''
              ? 'Wait for it, stop it, or choose another --run.'
              : `Choose another --run, or remove ${path} if it is no longer running.`,
        });
      }
      await removeStale(path, found);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ((await readFile(this.#path, 'utf8').catch(() => '')) === this.#text) await rm(this.#path, { force: true });
  }
}

/** A link appears with its content, so that nobody finds a lock that is still empty. */
async function putIfAbsent(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text);
    await link(draft, path);
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw fileError('write', path, cause);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Moves the dead lock away, so that of two finders one removes it; puts it back if a living one slipped in between. */
async function removeStale(path: string, found: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8').catch(() => found)) === found) await rm(aside, { force: true });
  else await rename(aside, path);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isSafeInteger(holder.pid) && typeof holder.host === 'string' && holder.host.length < 256
      ? holder
      : undefined;
  } catch {
    // Cut short by a kill: nobody holds it.
    return undefined;
  }
}

function isGone({ pid, host, began }: Holder): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
  return began !== undefined && began !== beginningOf(pid);
}

/** Field 22 of /proc/PID/stat; the second field, in parentheses, may hold spaces. */
function beginningOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\)\s/s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}
