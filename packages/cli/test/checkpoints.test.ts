import { hostArray, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../src/checkpoint/checkpoint.ts';
import { CheckpointStore } from '../src/checkpoint/checkpointStore.ts';
import { nodeDisk, type Disk } from '../src/disk/disk.ts';
import { writeAtomically } from '../src/disk/writeAtomically.ts';
import { CheckpointError } from '../src/errors.ts';
import { temporaryFolder } from './support/commandLine.ts';

const checkpoint = (step: number, weight: HostArray = hostArray([step, 0.5, -0], [3])): Checkpoint => ({
  state: {
    step,
    parameters: { 'layers.0.weight': weight },
    optimizer: { 'layers.0.weight.m': hostArray([1, 2, 3], [3]) },
    ema: { 'layers.0.weight': hostArray([4, 5, 6], [3]) },
    skipped: 2,
  },
  seed: 7,
  experiment: 'abc',
  context: { shape: [3] },
});

const bytesOf = (value: Checkpoint): Uint8Array => Buffer.concat(encodeCheckpoint(value));

/** The error of a promise that should fail. */
async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** A disk on which the named call fails, as the system would say it. */
const failing = (call: 'write' | 'sync' | 'rename', code: string): Disk => {
  const fail = (): never => {
    throw Object.assign(new Error(`${code}: simulated`), { code });
  };
  return {
    ...nodeDisk,
    open: async (...args: Parameters<typeof nodeDisk.open>) => {
      const file = await nodeDisk.open(...args);
      if (call === 'write') file.writeFile = async () => fail();
      if (call === 'sync') file.sync = async () => fail();
      return file;
    },
    ...(call === 'rename' && { rename: async () => fail() }),
  };
};

describe('a checkpoint', () => {
  it('survives a round trip unchanged', () => {
    expect(decodeCheckpoint('c', bytesOf(checkpoint(12)))).to.deep.equal(checkpoint(12));
  });

  it('stores f16, also from unrounded arrays and from a backend that keeps it in f64', () => {
    const third = Float32Array.of(0.333251953125, 2048, -0);
    for (const data of [Float32Array.of(1 / 3, 2049, -0), Float64Array.of(1 / 3, 2049, -0)]) {
      const halves = checkpoint(1, { data, shape: [3], dtype: 'f16' });
      expect(decodeCheckpoint('c', bytesOf(halves))).to.deep.equal(
        checkpoint(1, { data: third, shape: [3], dtype: 'f16' }),
      );
    }
    const infinite = checkpoint(1, { data: Float32Array.of(70000, 0, 0), shape: [3], dtype: 'f16' });
    expect(() => bytesOf(infinite)).to.throw('Element 0 of parameters.layers.0.weight is Infinity');
  });

  it('keeps f32 values that a backend holds in f64', () => {
    const wide = checkpoint(1, { data: Float64Array.of(0.1, 1 / 3, 1e-300), shape: [3], dtype: 'f32' });
    expect(decodeCheckpoint('c', bytesOf(wide))).to.deep.equal(wide);
  });

  it('is refused if its metadata is not that of a training, even with a correct checksum', () => {
    const written = checkpoint(12);
    const refused = (changed: object, message: RegExp): void => {
      expect(() => decodeCheckpoint('c', bytesOf({ ...written, ...changed })), JSON.stringify(changed)).to.throw(
        CheckpointError,
        message,
      );
    };
    for (const step of [1.5, -1, NaN, 'twelve', 2 ** 60])
      refused({ state: { ...written.state, step } }, /c: the metadata 'step' is not understood/);
    refused({ state: { ...written.state, skipped: null } }, /'skipped'/);
    refused({ seed: {} }, /'seed'/);
    for (const context of [
      null,
      [],
      {},
      { shape: 2 },
      { shape: [0] },
      { shape: [2.5] },
      { shape: [3], condition: { label: 'x' } },
    ])
      refused({ context }, /'context/);
    refused({ state: { ...written.state, parameters: {} } }, /c holds no parameters/);
  });

  it('is refused whichever of its bytes is changed', () => {
    const whole = bytesOf(checkpoint(12));
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole);
      damaged[at] ^= 1;
      // Spaces that pad the header say nothing.
      if (whole[at] === 0x20) continue;
      expect(() => decodeCheckpoint('damaged', damaged), `byte ${at}`).to.throw(CheckpointError);
    }
  });

  it('is refused for values that are not finite', () => {
    expect(() => bytesOf(checkpoint(5, hostArray([1, NaN, 3], [3])))).to.throw(
      /Element 1 of parameters.layers.0.weight is NaN after step 5/,
    );
  });
});

describe('the checkpoints of a run', () => {
  const folder = temporaryFolder();

  it('keeps the last three, and latest names the newest', async () => {
    const store = new CheckpointStore(folder.path);
    for (const step of [10, 20, 30, 40, 100]) await store.save(checkpoint(step));
    expect((await readdir(folder.path)).toSorted()).to.deep.equal([
      '100.safetensors',
      '30.safetensors',
      '40.safetensors',
      'latest',
    ]);
    expect(await readFile(folder.file('latest'), 'utf8')).to.equal('100.safetensors\n');
    expect((await store.latest())?.state.step).to.equal(100);
  });

  it('has none where there is no folder', async () => {
    expect(await new CheckpointStore(folder.file('nothing')).latest()).to.equal(undefined);
  });

  it('uses the newest if latest names a missing file', async () => {
    const store = new CheckpointStore(folder.path);
    await store.save(checkpoint(10));
    await writeFile(folder.file('latest'), '20.safetensors\n');
    expect((await store.latest())?.state.step).to.equal(10);
  });

  it('uses the one that latest names, also if a save was interrupted after writing the file', async () => {
    const store = new CheckpointStore(folder.path);
    for (const step of [10, 20]) await store.save(checkpoint(step));
    await writeFile(folder.file('latest'), '10.safetensors\n');
    expect((await store.latest())?.state.step).to.equal(10);
  });

  describe('of which the newest is damaged', () => {
    let store: CheckpointStore;
    const damage = async (step: number): Promise<void> => {
      const file = folder.file(`${step}.safetensors`);
      await writeFile(file, (await readFile(file)).subarray(0, -20));
    };
    beforeEach(async () => {
      store = new CheckpointStore(folder.path);
      for (const step of [10, 20, 30]) await store.save(checkpoint(step));
      await damage(30);
    });

    it('falls back to the previous one and reports the skipped one', async () => {
      const skipped: [number, string][] = [];
      const onSkipped = (step: number, { message }: Error): number => skipped.push([step, message]);
      expect((await store.latest({ onSkipped }))?.state.step).to.equal(20);
      expect(skipped).to.have.length(1);
      expect(skipped[0][0]).to.equal(30);
      expect(skipped[0][1]).to.match(/30\.safetensors: the file is cut short/);
    });

    it('falls back to the one before unreadable files', async () => {
      await rm(folder.file('20.safetensors'));
      await mkdir(folder.file('20.safetensors'));
      expect((await store.latest())?.state.step).to.equal(10);
    });

    it('is an error in strict mode, which names the previous one', async () => {
      const error = await failure(store.latest({ strict: true }));
      expect(error.code).to.equal('FM_CHECKPOINT');
      expect(error.message)
        .to.match(/30\.safetensors: the file is cut short/)
        .and.to.match(/Leave out --strict to continue from the previous checkpoint, 20\.safetensors/);
    });

    it('is an error if none can be read, without reports of skipped ones', async () => {
      for (const step of [10, 20]) await damage(step);
      const error = await failure(store.latest({ onSkipped: () => expect.fail('passed over') }));
      expect(error.code).to.equal('FM_CHECKPOINT');
      expect(error.message).to.match(
        /None of the 3 checkpoints .* can be read\. .*30\.safetensors: the file is cut short/,
      );
    });
  });

  it('refuses a safetensors file from another program', async () => {
    const foreign = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    await writeFile(
      folder.file('10.safetensors'),
      Buffer.concat([Buffer.from([foreign.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(foreign), Buffer.alloc(4)]),
    );
    const error = await failure(new CheckpointStore(folder.path).latest());
    expect(error.message).to.match(/10\.safetensors is a safetensors file, but not a checkpoint/);
  });

  it('removes partial files of a killed process', async () => {
    const store = new CheckpointStore(folder.path);
    await store.save(checkpoint(10));
    await writeFile(folder.file('.20.safetensors.abc.partial'), 'half');
    await store.removeLeftovers();
    expect((await readdir(folder.path)).toSorted()).to.deep.equal(['10.safetensors', 'latest']);
  });

  for (const [call, code, reason] of [
    ['write', 'ENOSPC', 'the disk is full'],
    ['sync', 'ENOSPC', 'the disk is full'],
    ['rename', 'ENOSPC', 'the disk is full'],
    ['write', 'EDQUOT', 'the disk quota is used up'],
  ] as const) {
    it(`survives ${code} at ${call}: a typed error, no leftovers, the older ones untouched`, async () => {
      await new CheckpointStore(folder.path).save(checkpoint(10));
      const before = await readFile(folder.file('10.safetensors'));
      const error = await failure(new CheckpointStore(folder.path, failing(call, code)).save(checkpoint(20)));
      expect(error.code).to.equal('FM_FILE');
      expect(error.message)
        .to.match(/Cannot write .*20\.safetensors/)
        .and.to.include(reason)
        .and.to.include('what was saved before is untouched');
      expect((await readdir(folder.path)).toSorted()).to.deep.equal(['10.safetensors', 'latest']);
      expect(await readFile(folder.file('10.safetensors'))).to.deep.equal(before);
      expect((await new CheckpointStore(folder.path).latest())?.state.step).to.equal(10);
    });
  }

  it('are written and renamed before the folder is synced', async () => {
    const calls: string[] = [];
    const recording: Disk = {
      ...nodeDisk,
      open: async (...args: Parameters<typeof nodeDisk.open>) => {
        const file = await nodeDisk.open(...args);
        const sync = file.sync.bind(file);
        file.sync = () => {
          calls.push(args[0] === folder.path ? 'sync folder' : 'sync file');
          return sync();
        };
        return file;
      },
      rename: async (from, to) => {
        calls.push('rename');
        await nodeDisk.rename(from, to);
      },
    };
    await writeAtomically(folder.file('a'), ['text'], recording);
    expect(calls).to.deep.equal(
      process.platform === 'win32' ? ['sync file', 'rename'] : ['sync file', 'rename', 'sync folder'],
    );
  });

  /** A disk whose folders cannot be synced. */
  const withoutFolderSync = (code: string): Disk => ({
    ...nodeDisk,
    open: async (...args: Parameters<typeof nodeDisk.open>) => {
      const file = await nodeDisk.open(...args);
      if (args[0] === folder.path)
        file.sync = async () => {
          throw Object.assign(new Error(`${code}: simulated`), { code });
        };
      return file;
    },
  });

  for (const code of ['EINVAL', 'ENOTSUP', 'EPERM', 'ENOSYS']) {
    it(`are written where the file system answers ${code} to the sync of a folder`, async () => {
      const store = new CheckpointStore(folder.path, withoutFolderSync(code));
      await store.save(checkpoint(10));
      expect((await store.latest())?.state.step).to.equal(10);
    });
  }

  it('are not taken for durable where the sync of a folder fails: a typed error', async function () {
    if (process.platform === 'win32') this.skip();
    const error = await failure(new CheckpointStore(folder.path, withoutFolderSync('EIO')).save(checkpoint(10)));
    expect(error.code).to.equal('FM_FILE');
    expect(error.message).to.match(/Cannot sync /);
  });

  it('are not written if their run was removed', async () => {
    const error = await failure(new CheckpointStore(folder.file('run/checkpoints')).save(checkpoint(10)));
    expect(error.code).to.equal('FM_FILE');
    expect(await readdir(folder.path)).to.deep.equal([]);
  });

  it('says so where a file is in its place', async () => {
    await mkdir(folder.file('10.safetensors'));
    const error = await failure(new CheckpointStore(folder.path).save(checkpoint(10)));
    expect(error.code).to.equal('FM_FILE');
    expect(await readdir(folder.path)).to.deep.equal(['10.safetensors']);
  });
});
