import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { nodeDisk, type Disk } from '../src/disk/disk.ts';
import { RunLock } from '../src/run/runLock.ts';
import { temporaryFolder } from './support/commandLine.ts';

/** The message of an error that acquiring a lock should end with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  throw new Error('nothing was thrown');
}

const fail = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(`${code}: simulated`), { code });
};

describe('the lock of a run', () => {
  const folder = temporaryFolder();
  const stale = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'x' });
  const acquire = (disk?: Disk): Promise<RunLock> => RunLock.acquire(folder.file('lock'), 'the run', disk);

  it('leaves nothing behind', async () => {
    const lock = await acquire();
    expect(readdirSync(folder.path)).to.deep.equal(['lock']);
    await lock[Symbol.asyncDispose]();
    expect(readdirSync(folder.path)).to.deep.equal([]);
  });

  it('keeps out a second training of the same process', async () => {
    await using lock = await acquire();
    expect(await refusal(acquire())).to.match(
      new RegExp(`FM_RUN: Another training, process ${process.pid}, is writing`),
    );
    await lock.verify();
  });

  it('is an error if a stale one cannot be removed', async () => {
    writeFileSync(folder.file('lock'), stale);
    expect(await refusal(acquire({ ...nodeDisk, rename: fail('EPERM') }))).to.match(
      /FM_RUN: The training that locked the run is gone, and its lock cannot be removed\. .*Remove .*lock/,
    );
    expect(readFileSync(folder.file('lock'), 'utf8')).to.equal(stale);
  });

  it('is an error, not a wait, if it can neither be created nor read', async () => {
    symlinkSync(folder.file('nowhere'), folder.file('lock'));
    expect(await refusal(acquire())).to.match(/FM_RUN: The lock of the run could not be taken/);
  });

  it('never moves away a directory that lies in its place', async () => {
    mkdirSync(folder.file('lock'));
    writeFileSync(folder.file('lock/kept'), '');
    expect(await refusal(acquire())).to.match(/FM_RUN: .*lock is not the lock of a training: .*it is a directory/);
    expect(readdirSync(folder.path)).to.deep.equal(['lock']);
    expect(existsSync(folder.file('lock/kept'))).to.equal(true);
  });

  for (const code of ['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK']) {
    it(`works where the file system answers ${code} to hard links`, async () => {
      const disk = { ...nodeDisk, link: fail(code) };
      writeFileSync(folder.file('lock'), stale);
      await using lock = await acquire(disk);
      expect(await refusal(acquire(disk))).to.match(/FM_RUN: Another training/);
      await lock.verify();
      expect(readdirSync(folder.path)).to.deep.equal(['lock']);
    });
  }

  it('is typed where links fail for another reason', async () => {
    expect(await refusal(acquire({ ...nodeDisk, link: fail('EIO') }))).to.match(/^FM_FILE: Cannot write /);
  });

  it('waits for one that is being filled, and takes over one that stays empty', async () => {
    writeFileSync(folder.file('lock'), '');
    const living = JSON.stringify({ pid: process.ppid, host: hostname(), token: 'x' });
    setTimeout(() => writeFileSync(folder.file('lock'), living), 100);
    expect(await refusal(acquire())).to.match(/FM_RUN: Another training/);
    writeFileSync(folder.file('lock'), '');
    await using lock = await acquire();
    await lock.verify();
  });

  it('is restored if it was removed, and is lost if another training took it', async () => {
    await using lock = await acquire();
    await nodeDisk.rm(folder.file('lock'));
    await lock.verify();
    expect(existsSync(folder.file('lock'))).to.equal(true);
    writeFileSync(folder.file('lock'), stale);
    expect(await refusal(lock.verify())).to.match(/FM_RUN: Another training has taken over the run/);
  });
});
