import { hostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { csvParts } from '../src/commands/csvParts.ts';
import { checkDirectoryDestination, checkFileDestination } from '../src/disk/checkDestination.ts';
import { inProcess, temporaryFolder } from './support/commandLine.ts';

const refusal = async (check: Promise<void>): Promise<string> =>
  check.then(
    () => 'accepted',
    (error: Error & { code: string }) => `${error.code}: ${error.message}`,
  );

const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

describe('where results go', () => {
  const folder = temporaryFolder();

  it('is a file in a directory that exists', async () => {
    await checkFileDestination('--out', folder.file('a.npy'));
    mkdirSync(folder.file('full'));
    writeFileSync(folder.file('file'), '');
    await checkFileDestination('--out', folder.file('file'));
    for (const [path, message] of [
      ['nowhere/a.npy', /^FM_USAGE: There is no directory .*nowhere to write a\.npy to/],
      ['file/a.npy', /^FM_USAGE: --out .*lies in .*file, which is not a directory/],
      ['full', /^FM_USAGE: --out .*full is a directory\. Expected a file/],
      ['new/', /^FM_USAGE: --out .*new\/ is a directory\. Expected a file/],
    ] as const)
      expect(await refusal(checkFileDestination('--out', folder.file(path)))).to.match(message);
  });

  it('is a directory, or can be made one', async () => {
    await checkDirectoryDestination('--out', folder.path);
    await checkDirectoryDestination('--out', folder.file('a/b/c'));
    expect(existsSync(folder.file('a'))).to.equal(false);
    writeFileSync(folder.file('file'), '');
    expect(await refusal(checkDirectoryDestination('--out', folder.file('file')))).to.match(
      /^FM_USAGE: --out .*file is not a directory/,
    );
    expect(await refusal(checkDirectoryDestination('--out', folder.file('file/a/b')))).to.match(
      /^FM_USAGE: --out .*lies in .*file, which is not a directory/,
    );
  });

  it('is writable', async function () {
    mkdirSync(folder.file('closed'));
    chmodSync(folder.file('closed'), 0o500);
    // To root only what the kernel shows is closed, and not everywhere.
    const closed = [folder.file('closed'), '/proc/1', '/sys'].find((path) => existsSync(path) && !isWritable(path));
    if (closed === undefined) this.skip();
    expect(await refusal(checkFileDestination('--out', `${closed}/a.npy`))).to.match(/^FM_FILE: Cannot write /);
    expect(await refusal(checkDirectoryDestination('--out', `${closed}/a`))).to.match(/^FM_FILE: Cannot write /);
  });

  it('is checked before anything else of a command', async () => {
    writeFileSync(folder.file('file'), '');
    mkdirSync(folder.file('d.npy'));
    const of = (out: string): readonly string[] => ['nowhere', '--count', '1', '--out', folder.file(out)];
    for (const [args, message] of [
      [['sample', ...of('d.npy')], /--out .*d\.npy is a directory/],
      [['sample', ...of('file/a.npy')], /lies in .*file, which is not a directory/],
      [['compare', 'nowhere', '--out', folder.file('file')], /--out .*file is not a directory/],
      [['conformance', '--module', 'nowhere', '--report', folder.file('file')], /--report .*file is not a directory/],
    ] as const) {
      const { status, stderr } = await inProcess(...args);
      expect(stderr).to.match(message);
      expect(status).to.equal(2);
    }
  });
});

describe('samples as CSV', () => {
  const counts = {
    functionEvaluations: 1,
    acceptedSteps: 1,
    rejectedSteps: 0,
    status: [],
  };

  it('are the same in parts of any size', () => {
    const samples = hostArray(Float32Array.of(1, 2, 3, 4, 0.25, -6), [3, 2], 'f32');
    const whole = 'x0,x1\n1,2\n3,4\n0.25,-6\n';
    for (const most of [1, 4, 5, 100]) expect([...csvParts({ samples, ...counts }, most)].join('')).to.equal(whole);
    expect([...csvParts({ samples, ...counts }, 4)]).to.deep.equal(['x0,x1\n', '1,2\n3,4\n', '0.25,-6\n']);
  });

  it('give sample and time of each point of a trajectory', () => {
    const samples = hostArray(Float32Array.of(3, 4), [2, 1], 'f32');
    const trajectory = hostArray(Float32Array.of(1, 3, 2, 4), [2, 2, 1], 'f32');
    for (const most of [1, 3, 100])
      expect([...csvParts({ samples, trajectory, times: [0, 1], ...counts }, most)].join('')).to.equal(
        'sample,time,x0\n0,0,1\n0,1,3\n1,0,2\n1,1,4\n',
      );
  });
});
