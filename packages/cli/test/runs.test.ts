import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { inProcess, seen, start, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

/** A plugin module with a model that adds three columns to whatever it is given. */
const crookedModel = `import { defineModel } from '${import.meta.resolve('@flow-matching/core')}';
import { zeros } from '${import.meta.resolve('@flow-matching/tensor')}';
export const crooked = defineModel({
  name: 'crooked',
  create: () => ({ name: 'crooked', init: () => ({}), apply: (_, { x }) => x.add(zeros([x.shape[0], 3])) }),
});`;

describe('a run', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const experiment = async (text = tinyExperiment): Promise<string> => {
    await writeFile(folder.file('e.yaml'), text);
    return folder.file('e.yaml');
  };
  const train = async (run: string, ...args: string[]) =>
    inProcess('train', await experiment(), '--run', folder.file(run), '--no-report', ...args);
  const final = (run: string): Promise<Buffer> => readFile(join(folder.file(run), 'checkpoints', '60.safetensors'));
  const steps = (run: string): number[] =>
    readFileSync(join(folder.file(run), 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { step: number }).step);

  it('writes all files of a run, and can be sampled and scored', async () => {
    const { status, stdout, stderr } = await inProcess(
      'train',
      await experiment(),
      '--run',
      folder.file('a'),
      '--json',
    );
    expect(status, stderr).to.equal(0);
    expect(readdirSync(folder.file('a')).toSorted()).to.deep.equal([
      'checkpoints',
      'experiment.yaml',
      'metrics.jsonl',
      'report.html',
      'results.json',
      'samples.png',
    ]);
    expect(readdirSync(folder.file('a/checkpoints')).toSorted()).to.deep.equal([
      '40.safetensors',
      '50.safetensors',
      '60.safetensors',
      'latest',
    ]);
    expect(steps('a')).to.deep.equal([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]);
    const results = JSON.parse(stdout) as Record<string, number>;
    expect(results['nllAboveEntropy']).to.be.greaterThan(0);
    expect(results).to.include({ step: 60, functionEvaluations: 8 });
    const page = await readFile(folder.file('a/report.html'), 'utf8');
    expect(page.match(/<svg /g)).to.have.length(5);
    expect(page, 'nothing is fetched').not.to.match(/(src|href)="(?!data:)|@import|<script|url\((?!#)/);

    const npy = folder.file('s.npy');
    const sampled = await inProcess(
      'sample',
      folder.file('a'),
      '--count',
      '100',
      '--out',
      npy,
      '--json',
      '--solver',
      'euler',
      '--steps',
      '3',
    );
    expect(JSON.parse(sampled.stdout), sampled.stderr).to.deep.include({
      shape: [100, 2],
      functionEvaluations: 3,
      step: 60,
    });
    const scored = await inProcess(
      'evaluate',
      folder.file('a'),
      '--data',
      npy,
      '--metric',
      'nll',
      'in-support',
      '--json',
    );
    const { metrics } = JSON.parse(scored.stdout) as { metrics: Record<string, { value: number; count: number }> };
    expect(metrics['nll'], scored.stderr).to.include({ count: 100 });
    expect(metrics['in-support'].value).to.be.within(0.2, 0.8);
  });

  it('writes equal samples for equal seeds, in every format', async () => {
    await train('a');
    const out = (name: string): string => folder.file(name);
    for (const [name, seed] of [
      ['1.npy', '5'],
      ['2.npy', '5'],
      ['3.npy', '6'],
    ] as const)
      await inProcess('sample', folder.file('a'), '--count', '7', '--seed', seed, '--out', out(name));
    expect(await readFile(out('1.npy')))
      .to.deep.equal(await readFile(out('2.npy')))
      .and.not.to.deep.equal(await readFile(out('3.npy')));
    await inProcess(
      'sample',
      folder.file('a'),
      '--count',
      '7',
      '--seed',
      '5',
      '--trajectory',
      '3',
      '--out',
      out('t.csv'),
    );
    const rows = (await readFile(out('t.csv'), 'utf8')).trimEnd().split('\n');
    expect(rows[0]).to.equal('sample,time,x0,x1');
    expect(rows.slice(1).map((row) => row.split(',').slice(0, 2).join())).to.deep.equal(
      Array.from({ length: 7 }, (_, i) => [`${i},0`, `${i},0.5`, `${i},1`]).flat(),
    );
    const npy = await readFile(out('1.npy'));
    const last = new Float32Array(npy.buffer.slice(npy.byteOffset + npy.length - 8, npy.byteOffset + npy.length));
    expect(rows.at(-1)!.split(',').slice(2).map(Number)).to.deep.equal(
      Array.from(last, (value) => Number(value.toPrecision(9))),
    );
    await inProcess('sample', folder.file('a'), '--count', '7', '--out', out('s.png'));
    expect([...(await readFile(out('s.png'))).subarray(0, 8)]).to.deep.equal([
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a,
    ]);
  });

  it('is not started in an existing run', async () => {
    await train('a');
    const again = await train('a');
    expect(again.status).to.equal(1);
    expect(again.stderr).to.match(/FM_RUN: The run directory .*a is there already.*Add --resume/);
  });

  it('is not resumed with another experiment, and names what differs', async () => {
    await train('a');
    const before = await final('a');
    const other = await train('a', '--resume', '--set', 'model.width=32');
    expect(other.status).to.equal(1);
    expect(other.stderr).to.match(/FM_RUN: .*a is a run of another experiment: model\.width is 16 there and 32 here/);
    expect(await final('a')).to.deep.equal(before);
  });

  it('is not resumed from a directory of something else', async () => {
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    const { status, stderr } = await inProcess('train', folder.file('e.yaml'), '--run', folder.path, '--resume');
    expect(status).to.equal(1);
    expect(stderr).to.match(/is not a run directory: it holds e\.yaml/);
  });

  it('is not resumed from a truncated or a foreign checkpoint', async () => {
    await train('a');
    await train('b', '--set', 'seed=9');
    const file = folder.file('a/checkpoints/60.safetensors');
    const whole = await final('a');
    writeFileSync(file, whole.subarray(0, whole.length - 7));
    const truncated = await train('a', '--resume', '--strict');
    expect(truncated.status).to.equal(1);
    expect(truncated.stderr).to.match(
      /FM_CHECKPOINT: .*60\.safetensors: the file is cut short.*Leave out --strict.*the previous checkpoint, 50\.safetensors/,
    );
    writeFileSync(file, await final('b'));
    const foreign = await train('a', '--resume');
    expect(foreign.status).to.equal(1);
    expect(foreign.stderr).to.match(/FM_CHECKPOINT: .*60\.safetensors belongs to another experiment/);
    await rm(file);
    expect((await train('a', '--resume')).status).to.equal(0);
    expect(await final('a'), 'and from the one before it ends with the same bytes').to.deep.equal(whole);
  });

  it('belongs to one running training at a time', async () => {
    await train('a', '--set', 'training.steps=60');
    const lock = folder.file('a/lock');
    const parent = { pid: process.ppid, host: hostname(), token: 'x' };
    writeFileSync(lock, JSON.stringify(parent));
    const held = await train('a', '--resume');
    expect(held.status).to.equal(1);
    expect(held.stderr).to.match(new RegExp(`FM_RUN: Another training, process ${process.ppid}, is writing to`));
    expect(existsSync(lock)).to.equal(true);
    writeFileSync(lock, JSON.stringify({ ...parent, pid: 2 ** 22 + 1 }));
    expect((await train('a', '--resume')).status).to.equal(0);
    writeFileSync(lock, JSON.stringify({ ...parent, began: '1' }));
    expect((await train('a', '--resume')).status, 'another process has the number now').to.equal(
      process.platform === 'linux' ? 0 : 1,
    );
    writeFileSync(lock, JSON.stringify({ ...parent, host: 'elsewhere' }));
    expect((await train('a', '--resume')).stderr).to.match(
      /on elsewhere, is writing to.*remove .*lock if it is no longer running/,
    );
  });

  it('stops at a loss that is not finite, and keeps the last good checkpoint', async () => {
    await train(
      'a',
      '--set',
      'optimizer={name: sgd, learningRate: 1.0e+12}',
      'training.checkpointEvery=1',
      'training.reportEvery=1',
    );
    const steps = readdirSync(folder.file('a/checkpoints'));
    const { status, stderr } = await train(
      'b',
      '--set',
      'optimizer={name: sgd, learningRate: 1.0e+12}',
      'training.checkpointEvery=1',
      'training.reportEvery=1',
    );
    expect(status).to.equal(1);
    expect(stderr)
      .to.match(/FM_NUMERICAL: .*(not finite at step \d+|is (NaN|-?Infinity) after step \d+)/)
      .and.to.match(/The last good checkpoint is .*b\/checkpoints\/\d+\.safetensors/);
    expect(readdirSync(folder.file('b/checkpoints')), 'the same every time').to.deep.equal(steps);
  });

  it('shows nothing but results when quiet', async () => {
    const { stdout, stderr } = await train('a', '--quiet');
    expect(stderr).to.equal('');
    expect(stdout).to.match(/^Trained 60 steps in /);
  });

  const bad: readonly (readonly [what: string, file: string, content: string | Buffer, message: RegExp])[] = [
    ['a ragged CSV', 'p.csv', '1,2\n3,4,5\n', /FM_DATA: .*p\.csv, line 2 has 3 fields/],
    ['an empty CSV', 'p.csv', '', /FM_DATA: .*p\.csv holds no rows/],
    ['words in a CSV', 'p.csv', '1,2\n3,four\n', /FM_DATA: .*line 2, column 2 holds 'four'/],
    ['NaN in a CSV', 'p.csv', '1,2\n3,nan\n', /FM_DATA: .*line 2, column 2 holds 'nan'/],
    [
      'infinity in a .npy',
      'p.npy',
      npy('<f4', '(1, 2)', Buffer.from(Float32Array.of(1, Infinity).buffer)),
      /FM_DATA: .*p\.npy: row 1, column 2 holds Infinity/,
    ],
    [
      'a .npy of the wrong type',
      'p.npy',
      npy('<c8', '(1, 1)', Buffer.alloc(8)),
      /FM_DATA: .*p\.npy holds complex numbers/,
    ],
    ['a .npy that is cut short', 'p.npy', npy('<f4', '(9, 2)', Buffer.alloc(8)), /FM_DATA: .*p\.npy has 78 bytes/],
    ['a .npy that is none', 'p.npy', 'hello, world', /FM_DATA: .*p\.npy is not a \.npy file/],
    ['a file that is not there', 'q.csv', '', /FM_DATA: Cannot read .*p\.csv: there is no such file/],
  ];
  for (const [what, file, content, message] of bad) {
    it(`refuses ${what}, and makes no directory`, async () => {
      writeFileSync(folder.file(file), content);
      const ending = file.endsWith('.npy') ? 'npy' : 'csv';
      writeFileSync(
        folder.file('e.yaml'),
        tinyExperiment.replace('data: checkerboard', `data: { name: points, file: p.${ending} }`),
      );
      const { status, stderr } = await inProcess('train', folder.file('e.yaml'), '--run', folder.file('a'));
      expect(stderr).to.match(message);
      expect(status).to.equal(1);
      expect(existsSync(folder.file('a'))).to.equal(false);
    });
  }

  for (const [what, settings, message] of [
    [
      'a coupling that its path does not allow',
      ['path.name=variance-preserving', 'coupling=optimal-transport'],
      /FM_PATH: The path 'variance-preserving' cannot use the coupling 'optimal-transport'/,
    ],
    [
      'a path between two distributions without a source',
      ['path.name=schrodinger-bridge'],
      /FM_DATA: The path 'schrodinger-bridge' runs between two distributions/,
    ],
    [
      'a source that its path would ignore',
      ['data={name: pair, source: gaussian, target: moons}'],
      /FM_DATA: The path 'optimal-transport' starts from noise and would ignore/,
    ],
    [
      'a model whose formula does not fit its points',
      ['plugins=[./crooked.mjs]', 'model={name: crooked}'],
      /FM_SHAPE: .*\[32, 2\].*\[32, 3\]/,
    ],
  ] as const) {
    it(`refuses ${what}, and makes no directory`, async () => {
      writeFileSync(folder.file('crooked.mjs'), crookedModel);
      const given = settings.flatMap((setting) => ['--set', setting]);
      const { status, stderr } = await train('a', ...given);
      expect(stderr).to.match(message);
      expect(status).to.equal(1);
      expect(existsSync(folder.file('a'))).to.equal(false);
      expect((await train('a')).status, 'and the place is free').to.equal(0);
    });
  }

  it('refuses points of another shape', async () => {
    await train('a');
    writeFileSync(folder.file('p.csv'), '1,2,3\n4,5,6\n');
    const { status, stderr } = await inProcess(
      'evaluate',
      folder.file('a'),
      '--data',
      folder.file('p.csv'),
      '--metric',
      'nll',
    );
    expect(status).to.equal(1);
    expect(stderr).to.match(/FM_DATA: Points of .*p\.csv have the shape \[3\]\. Expected \[2\]/);
  });

  it('reports where a solver cannot meet its tolerance, and writes nothing', async () => {
    await train('a', '--set', 'solver={name: dopri5, rtol: 1.0e-6, atol: 1.0e-6, maxSteps: 2}');
    const { status, stderr } = await inProcess(
      'sample',
      folder.file('a'),
      '--count',
      '10',
      '--out',
      folder.file('s.npy'),
    );
    expect(status).to.equal(1);
    expect(stderr).to.match(
      /FM_SOLVER: 10 of 10 solves ended with status maxSteps after \d+ accepted and \d+ rejected steps[^]*stands at t = [\d.]+ with a step of [\d.e+-]+ and an error of [\d.e+-]+ × tolerance/,
    );
    expect(existsSync(folder.file('s.npy'))).to.equal(false);
  });

  it('refuses unknown metrics and divergences', async () => {
    await train('a');
    const metric = await inProcess('evaluate', folder.file('a'), '--metric', 'nlll');
    expect(metric.status).to.equal(2);
    expect(metric.stderr).to.match(
      /--metric nlll: there is no such metric\. Expected one of nll, .*Did you mean 'nll'\?/,
    );
    const divergence = await inProcess('evaluate', folder.file('a'), '--divergence', 'exakt');
    expect(divergence.status).to.equal(2);
    expect(divergence.stderr).to.match(/--divergence exakt: .*Expected exact or hutchinson/);
  });

  it('refuses options that the solver does not have', async () => {
    await train('a');
    const { status, stderr } = await inProcess(
      'sample',
      folder.file('a'),
      '--count',
      '1',
      '--out',
      folder.file('s.npy'),
      '--solver',
      'euler',
      '--rtol',
      '0.1',
    );
    expect(status).to.equal(2);
    expect(stderr).to.match(/--rtol 0\.1: 'rtol' is not an option of the solver 'euler'\. Expected one of .*steps/);
  });

  it('gets new directories when it is given none', async () => {
    await experiment();
    for (const taken of ['tiny-1', 'tiny-9', 'tiny-9b', 'tiny'])
      mkdirSync(folder.file(`runs/${taken}`), { recursive: true });
    const { status, stdout } = await start(['train', 'e.yaml', '--no-report', '--json', '--quiet'], folder.path).ended;
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({ run: 'runs/tiny-10', step: 60 });
  });

  it('saves when interrupted, says how to continue, and then ends with the same bytes', async () => {
    await experiment();
    const long = ['--set', 'training.steps=2000', 'training.checkpointEvery=5000', 'training.reportEvery=20'];
    await train('whole', ...long);
    const process = start(['train', 'e.yaml', '--run', 'a', '--no-report', ...long], folder.path);
    await seen(process, / → /);
    // The training is under way once it has reported.
    while (!existsSync(folder.file('a/metrics.jsonl')) || readFileSync(folder.file('a/metrics.jsonl'), 'utf8') === '')
      await new Promise((resolve) => setTimeout(resolve, 5));
    process.child.kill('SIGINT');
    const { status, stderr } = await process.ended;
    expect(status).to.equal(130);
    expect(stderr)
      .to.match(/Stopping after this step/)
      .and.to.match(/Interrupted: step [\d,]+ is saved in a\. Continue with: flow-matching train a --resume/);
    expect(existsSync(folder.file('a/lock'))).to.equal(false);
    const resumed = await inProcess('train', folder.file('a'), '--resume', '--no-report');
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(resumed.stderr).to.match(/resumed at step/);
    const end = async (run: string): Promise<Buffer> => readFile(folder.file(`${run}/checkpoints/2000.safetensors`));
    expect(await end('a')).to.deep.equal(await end('whole'));
  });
});

function npy(descr: string, shape: string, data: Buffer): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  return Buffer.concat([
    Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]),
    Buffer.from(header),
    data,
  ]);
}
