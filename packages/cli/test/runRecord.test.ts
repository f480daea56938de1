import { expect } from 'chai';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { readMetrics } from '../src/run/metricsLog.ts';
import { inProcess, lines, temporaryFolder, until, type Outcome } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

const points = (scale: number): string =>
  Array.from({ length: 40 }, (_, i) => `${scale * Math.sin(i)},${scale * Math.cos(3 * i)}\n`).join('');

describe('a run that is used again', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const run = (name = 'a'): string => folder.file(name);
  const experimentOf = (name = 'a'): string => join(run(name), 'experiment.yaml');
  const onFile = tinyExperiment.replace('data: checkerboard', 'data: { name: points, file: p.csv, heldOut: 0.25 }');
  const train = async (text = tinyExperiment, ...args: string[]): Promise<Outcome> => {
    writeFileSync(folder.file('e.yaml'), text);
    writeFileSync(folder.file('p.csv'), points(1));
    const outcome = await inProcess('train', folder.file('e.yaml'), '--run', run(), '--no-report', ...args);
    expect(outcome.status, outcome.stderr).to.equal(0);
    return outcome;
  };
  const resume = (...args: string[]): Promise<Outcome> => inProcess('train', run(), '--resume', '--no-report', ...args);
  const sample = (path = run(), ...args: string[]): Promise<Outcome> =>
    inProcess('sample', path, '--count', '5', '--out', folder.file('s.npy'), ...args);
  const evaluate = (...args: string[]): Promise<Outcome> =>
    inProcess('evaluate', run(), '--metric', 'nll', '--count', '5', ...args);
  const compare = (...args: string[]): Promise<Outcome> =>
    inProcess('compare', run(), '--count', '10', '--out', folder.file('c'), ...args);
  const final = (name = 'a'): Buffer => readFileSync(join(run(name), 'checkpoints/60.safetensors'));
  /** As if the run had been stopped at step 50. */
  const forgetEnd = (): void => rmSync(join(run(), 'checkpoints/60.safetensors'));
  const edit = (change: (document: Record<string, Record<string, unknown>>) => void): void => {
    const document = parse(readFileSync(experimentOf(), 'utf8')) as Record<string, Record<string, unknown>>;
    change(document);
    writeFileSync(experimentOf(), stringify(document));
  };

  it('is refused by every command if its experiment was edited, and used with a warning with --force', async () => {
    await train();
    edit(({ solver }) => (solver['steps'] = 8));
    for (const command of [resume, () => sample(), evaluate, compare]) {
      const { status, stderr } = await command();
      expect(status, stderr).to.equal(1);
      expect(stderr).to.match(/FM_RUN: .*experiment\.yaml was edited after the training had written it.*--force/);
    }
    const forced = await sample(run(), '--force', '--json');
    expect(forced.status, forced.stderr).to.equal(0);
    expect(forced.stderr).to.match(/Warning: .*experiment\.yaml was edited .*because of --force/);
    expect(JSON.parse(forced.stdout)).to.include({ functionEvaluations: 16 });
    const warnings = async (command: () => Promise<Outcome>): Promise<number> =>
      (await command()).stderr.match(/Warning: /g)?.length ?? 0;
    for (const command of [compare, evaluate, resume])
      expect(await warnings(() => command('--force')), 'it is said once').to.equal(1);
    edit(({ solver }) => (solver['steps'] = 9));
    expect((await resume('--force')).status).to.equal(0);
    expect((await resume()).stderr, 'and then the edit is recorded').not.to.match(/edited/);
  });

  it('is not refused for comments and the order of keys, or for settings of the command line', async () => {
    await train();
    const text = readFileSync(experimentOf(), 'utf8');
    const reversed = Object.fromEntries(Object.entries(parse(text) as object).toReversed());
    writeFileSync(experimentOf(), `# mine\n${stringify(reversed)}`);
    expect((await sample(run(), '--solver', 'euler', '--steps', '2')).status).to.equal(0);
    expect((await resume('--set', 'training.reportEvery=7')).status).to.equal(0);
  });

  it('is refused if its data file has changed, and used with a warning with --force', async () => {
    await train(onFile);
    const whole = final();
    forgetEnd();
    for (const [changed, message] of [
      [points(2), /FM_RUN: The data file p\.csv is not the one that .*: \d+ bytes now and \d+ bytes then.*--force/],
      [
        points(1).replace('0,1', '0,2'),
        /FM_RUN: The data file p\.csv .* of the same size, \d+ bytes, but of other content/,
      ],
    ] as const) {
      writeFileSync(folder.file('p.csv'), changed);
      for (const command of [resume, evaluate, compare]) {
        const { status, stderr } = await command();
        expect(status, stderr).to.equal(1);
        expect(stderr).to.match(message);
      }
    }
    expect((await sample()).status, 'sampling does not read it').to.equal(0);
    const forced = await evaluate('--force');
    expect(forced.status, forced.stderr).to.equal(0);
    expect(forced.stderr).to.match(/Warning: The data file p\.csv .*because of --force/);
    writeFileSync(folder.file('p.csv'), points(1));
    expect((await resume()).status).to.equal(0);
    expect(final(), 'and with the file brought back it ends with the same bytes').to.deep.equal(whole);
  });

  it('can be sampled and can score a file after a move without its data', async () => {
    await train(onFile);
    await sample();
    const before = readFileSync(folder.file('s.npy'));
    mkdirSync(folder.file('elsewhere/deep'), { recursive: true });
    renameSync(run(), folder.file('elsewhere/deep/b'));
    rmSync(folder.file('p.csv'));
    const moved = folder.file('elsewhere/deep/b');
    const { status, stderr } = await sample(moved);
    expect(status, stderr).to.equal(0);
    expect(readFileSync(folder.file('s.npy'))).to.deep.equal(before);
    const scored = await inProcess('evaluate', moved, '--data', folder.file('s.npy'), '--metric', 'nll');
    expect(scored.status, scored.stderr).to.equal(0);
    expect(scored.stderr).to.match(/The data of the training is not used: .*p\.csv/);
    const unscored = await inProcess('evaluate', moved);
    expect(unscored.stderr).to.match(/FM_DATA: Cannot read .*p\.csv/);
  });

  it('without recorded hashes is resumed to the same bytes, and sampled', async () => {
    await train(onFile);
    const whole = final();
    edit(({ environment }) => {
      delete environment['record'];
      delete environment['files'];
    });
    expect((await sample()).status).to.equal(0);
    forgetEnd();
    expect((await resume()).status).to.equal(0);
    expect(final()).to.deep.equal(whole);
    writeFileSync(folder.file('p.csv'), points(2));
    expect((await resume()).stderr, 'and has its record from then on').to.match(/The data file p\.csv is not the one/);
  });

  it('loads its own plugins only with permission', async () => {
    const core = import.meta.resolve('@flow-matching/core');
    writeFileSync(
      folder.file('plugin.mjs'),
      `import { defineSchedule } from '${core}';
      globalThis.loads = (globalThis.loads ?? 0) + 1;
      export const own = defineSchedule({ name: 'own', create: () => () => 1 });`,
    );
    const loads = (): number => (globalThis as { loads?: number }).loads ?? 0;
    await train(`${tinyExperiment}plugins: [./plugin.mjs]\n`);
    const before = loads();
    expect(before).to.equal(1);
    // A module that was imported once is not run again: another one stands for it.
    cpSync(folder.file('plugin.mjs'), folder.file('other.mjs'));
    edit((document) => {
      (document as Record<string, unknown>)['plugins'] = ['./other.mjs'];
      delete document['environment']['record'];
    });
    for (const command of [() => sample(), evaluate, compare]) {
      const { status, stderr } = await command();
      expect(status, stderr).to.equal(2);
      expect(stderr).to.match(/FM_USAGE: .* names plugins.*: \.\/other\.mjs\..*--allow-plugins/);
    }
    const resumed = await inProcess('train', folder.file('e.yaml'), '--run', run(), '--resume', '--no-report');
    expect(resumed.stderr).to.match(/FM_RUN: .*a run of another experiment: plugins is \["\.\/other\.mjs"\] there/);
    expect(loads(), 'and nothing of it has run').to.equal(before);
    const allowed = await sample(run(), '--allow-plugins');
    expect(allowed.status, allowed.stderr).to.equal(0);
    expect(loads()).to.equal(before + 1);
  });

  it('resumes from the previous checkpoint with a warning if the last is damaged, and ends with the same bytes', async () => {
    await train();
    const whole = final();
    writeFileSync(join(run(), 'checkpoints/60.safetensors'), whole.subarray(0, -9));
    for (const command of [resume, (...args: string[]) => sample(run(), ...args), evaluate, compare]) {
      const { status, stderr } = await command('--strict');
      expect(status, stderr).to.equal(1);
      expect(stderr).to.match(/FM_CHECKPOINT: .*60\.safetensors: the file is cut short/);
    }
    const sampled = await sample(run(), '--json');
    expect(sampled.stderr).to.match(/Warning: .*60\.safetensors cannot be used; an earlier checkpoint is/);
    expect(JSON.parse(sampled.stdout)).to.include({ step: 50 });
    const resumed = await resume();
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(resumed.stderr)
      .to.match(/Warning: .*60\.safetensors cannot be used/)
      .and.to.match(/resumed at step 50/);
    const events = lines(join(run(), 'metrics.jsonl'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => 'event' in line);
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ step: 50, event: 'checkpoint passed over', checkpoint: 60 });
    expect(final()).to.deep.equal(whole);
  });

  it('counts the seconds of earlier sessions', async () => {
    await train();
    forgetEnd();
    const file = join(run(), 'metrics.jsonl');
    const longAgo = lines(file).map((line) => ({ ...(JSON.parse(line) as object), seconds: 1000 }));
    writeFileSync(file, longAgo.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect((await resume()).stderr).to.match(/Trained 60 steps in 16:4\d/);
    const seconds = lines(file).map((line) => (JSON.parse(line) as { seconds: number }).seconds);
    expect(seconds.at(-1)).to.be.within(1000, 1050);
  });

  const broken = [
    'null',
    '17',
    '[]',
    '{}',
    'not JSON',
    '{"step":5,"loss":1,"seconds":"x"}',
    '{"step":5,"loss":"low","seconds":1}',
    '{"step":null,"loss":1,"seconds":1}',
    '{"step":5,"loss":1,"seconds":1,"learningRate":{}}',
  ];

  for (const line of broken) {
    it(`does not take ${line} for a report`, async () => {
      writeFileSync(
        folder.file('m.jsonl'),
        `{"step":4,"loss":1,"seconds":1}\n${line}\n{"step":6,"loss":1,"seconds":2}\n`,
      );
      const warnings: string[] = [];
      const metrics = await readMetrics(folder.file('m.jsonl'), (text) => warnings.push(text));
      expect(metrics.map(({ step }) => step)).to.deep.equal([4, 6]);
      expect(warnings).to.deep.equal([`${folder.file('m.jsonl')}: line 2 is not understood and left out.`]);
    });
  }

  it('skips invalid lines of its metrics with a warning', async () => {
    await train();
    forgetEnd();
    const file = join(run(), 'metrics.jsonl');
    const before = lines(file);
    writeFileSync(file, [before[0], ...broken, ...before.slice(1), ...broken, ''].join('\n'));
    const { status, stdout, stderr } = await resume();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/metrics\.jsonl: 18 lines, the first of them line 2, are not understood and left out/);
    expect(stdout + stderr).not.to.match(/NaN/);
    const steps = (text: readonly string[]): number[] =>
      text.map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps(lines(file))).to.deep.equal(steps(before));
  });

  it('fails if it is removed during training, and is not recreated', async () => {
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    const long = ['--set', 'training.steps=1000000', 'training.checkpointEvery=20', 'training.reportEvery=5'];
    const ended = inProcess('train', folder.file('e.yaml'), '--run', run(), '--no-report', ...long);
    await until(() => existsSync(join(run(), 'checkpoints/latest')));
    rmSync(run(), { recursive: true, maxRetries: 5 });
    const { status, stdout, stderr } = await ended;
    expect(status).to.equal(1);
    expect(stderr).to.match(/error FM_RUN: The run directory .*a was removed while it was in use/);
    expect(stdout + stderr).not.to.match(/Trained|last good checkpoint/);
    expect(readdirSync(folder.path)).to.deep.equal(['e.yaml']);
  });
});

describe('the name of an experiment file', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const unnamed = tinyExperiment.replace('name: tiny\n', '');

  for (const name of [
    'my exp',
    '_a(1)',
    `it's "$HOME"`,
    '-dash',
    'größe 実験 🌀',
    'a\nb\u001b[31m',
    'null',
    'x'.repeat(245),
    '験'.repeat(80),
  ]) {
    it(`may be ${JSON.stringify(name.slice(0, 20))}, and its run is resumed, sampled and scored`, async () => {
      const before = process.cwd();
      writeFileSync(folder.file(`${name}.yaml`), unnamed);
      process.chdir(folder.path);
      try {
        const trained = await inProcess('train', `./${name}.yaml`, '--no-report', '--json');
        expect(trained.status, trained.stderr).to.equal(0);
        const { run } = JSON.parse(trained.stdout) as { run: string };
        for (const args of [
          ['train', run, '--resume', '--no-report'],
          ['train', `./${name}.yaml`, '--resume', '--no-report'],
          ['sample', run, '--count', '3', '--out', 's.npy'],
          ['evaluate', run, '--metric', 'function-evaluations', '--count', '3'],
        ]) {
          const { status, stderr } = await inProcess(...args);
          expect(status, stderr).to.equal(0);
        }
        expect(readdirSync('runs'), 'the resumes went on with the same run').to.have.length(1);
      } finally {
        process.chdir(before);
      }
    });
  }

  it('numbers the next run although a folder has a number beyond the range of doubles', async () => {
    const before = process.cwd();
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    for (const taken of ['tiny-9007199254740993', 'tiny-1e300', 'tiny-0x10', 'tiny-3', 'tiny-'])
      mkdirSync(folder.file(`runs/${taken}`), { recursive: true });
    process.chdir(folder.path);
    try {
      const { stdout } = await inProcess('train', 'e.yaml', '--no-report', '--json');
      expect(JSON.parse(stdout)).to.include({ run: 'runs/tiny-4' });
      mkdirSync(folder.file('runs/tiny-9007199254740991'));
      const { status, stderr } = await inProcess('train', 'e.yaml', '--no-report');
      expect(status).to.equal(1);
      expect(stderr).to.match(/FM_RUN: The runs of tiny in runs are numbered up to 9007199254740991\. .*--run/);
    } finally {
      process.chdir(before);
    }
  });
});
