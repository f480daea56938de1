import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { inProcess, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

describe('data of the user', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  /** Trains on a table: a year among the names of its header, a column of text between two of numbers. */
  const train = async (table: string, options: string) => {
    await writeFile(folder.file('d.csv'), table);
    const data = `{ name: points, file: d.csv, ${options} }`;
    await writeFile(folder.file('e.yaml'), tinyExperiment.replace(/^data: .*$/m, `data: ${data}`));
    return inProcess('train', folder.file('e.yaml'), '--run', folder.file('run'), '--no-report');
  };
  const table = (scale = 1): string =>
    ['x/who/2020', ...Array.from({ length: 40 }, (_, i) => `${Math.sin(i) * scale}/n${i}/${Math.cos(i)}`)].join('\n');
  const options = 'header: true, delimiter: /, columns: [x, "2020"]';

  it("is read for scoring with the run's header, delimiter and columns", async () => {
    const trained = await train(table(), options);
    expect(trained.status, trained.stderr).to.equal(0);
    await writeFile(folder.file('other.csv'), table(0.5));
    const scored = await inProcess('evaluate', folder.file('run'), '--data', folder.file('other.csv'), '--json');
    expect(scored.status, scored.stderr).to.equal(0);
    const { metrics } = JSON.parse(scored.stdout) as { metrics: Record<string, { value: number; count: number }> };
    expect(metrics['nll'].count).to.equal(40);
    expect(metrics['nll'].value).to.be.within(0, 10);
  });

  it('may be scored from a file of another kind, which is refused if its shape differs', async () => {
    await train(table(), options);
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n";
    const npy = Buffer.concat([
      Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]),
      Buffer.from(header),
      Buffer.alloc(48),
    ]);
    await writeFile(folder.file('wide.npy'), npy);
    const wide = await inProcess('evaluate', folder.file('run'), '--data', folder.file('wide.npy'));
    expect([wide.status, wide.stderr]).to.deep.equal([
      1,
      `error FM_DATA: Points of ${folder.file('wide.npy')} have the shape [3]. Expected [2], like the training points.\n`,
    ]);
  });

  it('gives a warning in training if and only if its scales are far from those of noise', async () => {
    const near = await train(table(), options);
    expect(near.stderr).not.to.contain('standard deviation');
    await writeFile(folder.file('d.csv'), table(500));
    const far = await inProcess('train', folder.file('e.yaml'), '--run', folder.file('far'), '--no-report', '--quiet');
    expect(far.status).to.equal(0);
    expect(far.stderr).to.match(
      /^d\.csv: means are .*, standard deviations 0\.\d+ \(column 2\) to 3\d\d \(column 1\)\./,
    );
  });
});
