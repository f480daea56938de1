import { temporaryFolder } from './support/commandLine.ts';
import { killAndResume } from './support/killAndResume.ts';

describe('a training that is killed twenty times', function () {
  this.timeout(600_000);
  const folder = temporaryFolder();

  it('ends with the bytes of one that is not', async () => {
    await killAndResume(folder.path, { kills: 20, steps: 1200, seed: 2 });
  });
});
