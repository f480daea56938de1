import { temporaryFolder } from './support/commandLine.ts';
import { killAndResume } from './support/killAndResume.ts';

describe('a training that is killed', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  it('ends with the bytes of one that is not', async () => {
    await killAndResume(folder.path, { kills: 1, steps: 150, seed: 1 });
  });
});
