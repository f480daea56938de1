import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { Output } from '../src/terminal/output.ts';
import { escapeControls, escapeName } from '../src/terminal/escapeControls.ts';
import { quoteArgument, quotePath } from '../src/terminal/quoteArgument.ts';
import { commandOf, inProcess, lines, seen, start, temporaryFolder, until } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

/** Anything that a terminal would obey instead of show. */
// eslint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('what reaches the terminal', () => {
  const folder = temporaryFolder();
  const hostile = '\u001b]0;owned\u0007\u001b[2J\r\u009b31m\u202egpj.exe\u2066';

  it('shows control characters as escapes', () => {
    expect(escapeControls('a\u001b[31mb\u009bc\u202ed\u007f\n\te')).to.equal(
      'a\\u001b[31mb\\u009bc\\u202ed\\u007f\n\te',
    );
    expect(escapeName('a\nb\tc')).to.equal('a\\u000ab\\u0009c');
    expect(escapeControls('naïve 日本 👩‍🔬')).to.equal('naïve 日本 👩‍🔬');
    for (let code = 0; code < 0x20; code++)
      expect(escapeName(String.fromCharCode(code)), `U+${code}`).to.match(/^\\u00[01][\da-f]$/);
  });

  const commands: readonly (readonly [what: string, args: () => string[]])[] = [
    ['an experiment file', () => ['train', folder.file(`${hostile}.yaml`)]],
    ['a run', () => ['evaluate', hostile]],
    ['a setting', () => ['train', folder.file('e.yaml'), '--set', `model.${hostile}=1`]],
    ['the value of a setting', () => ['train', folder.file('e.yaml'), '--set', `model.name="${hostile}"`]],
    ['an output file', () => ['sample', 'runs/a', '--count', '1', '--out', hostile]],
    ['a command', () => [hostile]],
    ['an option', () => ['train', `--${hostile}`]],
    ['a key of the file', () => ['train', folder.file('keys.yaml')]],
    ['a metric', () => ['plugins', '--kind', hostile]],
  ];
  for (const [what, args] of commands) {
    it(`has none where the name of ${what} has some`, async () => {
      writeFileSync(folder.file('e.yaml'), tinyExperiment);
      writeFileSync(folder.file('keys.yaml'), `${tinyExperiment}${JSON.stringify(hostile)}: 1\n`);
      for (const json of [[], ['--json']]) {
        const { status, stdout, stderr } = await inProcess(...args(), ...json);
        expect(status).to.be.greaterThan(0);
        expect(stdout + stderr)
          .to.include('\\u001b')
          .and.not.match(obeyed);
        if (stdout.startsWith('{')) expect(JSON.parse(stdout)).to.have.nested.property('error.code');
      }
    });
  }

  it('tells a failure in one line, whatever line breaks names contain', async () => {
    const broken = 'a\nb\tc\u2028d';
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    writeFileSync(folder.file('keys.yaml'), `${tinyExperiment}${JSON.stringify(broken)}: 1\n`);
    writeFileSync(folder.file(`${broken}.yaml`), 'name: no data\n');
    writeFileSync(folder.file('data.yaml'), `data: { name: points, file: ${JSON.stringify(`${broken}.csv`)} }\n`);
    writeFileSync(folder.file(`${broken}.npy`), 'none');
    writeFileSync(folder.file('npy.yaml'), `data: { name: points, file: ${JSON.stringify(`${broken}.npy`)} }\n`);
    mkdirSync(folder.file(broken));
    writeFileSync(folder.file(`${broken}/other`), '');
    const run = folder.file(broken);
    const train = (...args: string[]): string[] => ['train', folder.file('e.yaml'), ...args];
    for (const args of [
      ['train', folder.file(`${broken}.none.yaml`)],
      ['train', folder.file(`${broken}.yaml`)],
      ['train', folder.file('keys.yaml')],
      ['train', folder.file('data.yaml')],
      ['train', folder.file('npy.yaml')],
      train('--run', run),
      train('--run', run, '--resume'),
      train('--set', `data=${JSON.stringify(broken)}`),
      train('--set', `plugins=[${JSON.stringify(broken)}]`),
      train('--set', `plugins=[${JSON.stringify(`./${broken}.mjs`)}]`),
      ['evaluate', run],
      ['compare', run, '--out', folder.file('c')],
      ['compare', run, '--out', folder.file('e.yaml/' + broken)],
      ['sample', run, '--count', '1', '--out', `${broken}.bin`],
      ['sample', run, '--count', '1', '--out', folder.file(`${broken}/none/s.npy`)],
      ['conformance', '--module', `./${broken}.js`],
    ]) {
      const { status, stderr } = await inProcess(...args, '--quiet');
      expect(status, args.join(' ')).to.be.greaterThan(0);
      expect(stderr, args.join(' '))
        .to.match(/^[^\n]*\n$/)
        .and.include('a\\u000ab');
    }
  });

  /** What a progress bar or its lines write to a terminal. */
  const progressOn = (term: string): string => {
    const before = process.env['TERM'];
    process.env['TERM'] = term;
    try {
      const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80, cursorTo() {}, clearLine() {} });
      stderr.cursorTo = () => stderr.write('\u001b[1G');
      const output = new Output({ stdout: stderr, stderr: stderr as unknown as NodeJS.WriteStream }, {});
      output.progress('train', 10).update(10, 'loss 1');
      output.note('a note');
      output.endProgress();
      return (stderr.read() as Buffer).toString();
    } finally {
      if (before === undefined) delete process.env['TERM'];
      else process.env['TERM'] = before;
    }
  };

  it('has no cursor codes where TERM is dumb', () => {
    expect(progressOn('dumb')).to.equal('train 10/10  loss 1\na note\n');
    expect(progressOn('xterm'), 'and a bar elsewhere').to.include('\u001b[1G');
  });

  it('is without colours, whatever NO_COLOR says', () => {
    expect(progressOn('xterm-256color').replaceAll('\u001b', 'ESC')).not.to.match(/ESC\[[\d;]*m/);
  });
});

describe('an argument in a hint', () => {
  const samples = [
    'plain',
    'a b',
    "it's",
    '"x"',
    '$HOME `id` \\ !',
    '(1)',
    '~',
    '',
    '日本',
    'a\nb',
    "\u001b'\\\u202e",
    '*?[a]',
    '#',
    ';&|<>',
  ];

  it('is read back unchanged by a shell', function () {
    if (spawnSync('bash', ['-c', 'true']).status !== 0) this.skip();
    const quoted = samples.map(quoteArgument);
    const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${quoted.join(' ')}`]);
    expect(stdout.toString().split('\0').slice(0, -1)).to.deep.equal(samples);
    expect(quoted.map(escapeName), 'and can be copied from a terminal').to.deep.equal(quoted);
  });

  it('is not an option if it is a path that starts with a dash', () => {
    expect(quotePath('-x')).to.equal('./-x');
    expect(quotePath('--resume it')).to.equal('"./--resume it"');
    expect(quotePath('a-b')).to.equal('a-b');
  });
});

describe('a command whose output nobody takes', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const long = ['--set', 'training.steps=1000000', 'training.checkpointEvery=1000000', 'training.reportEvery=5'];
  const run = (...args: string[]): ReturnType<typeof start> => {
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    return start(args, folder.path);
  };
  const underWay = (name = 'a'): Promise<void> => until(() => lines(folder.file(`${name}/metrics.jsonl`)).length > 0);

  it('trains to its end, reports and succeeds after the readers of both streams have gone', async () => {
    const { child, ended } = run('train', 'e.yaml', '--run', 'a', '--set', 'training.steps=300');
    await seen({ child, ended }, / → /);
    child.stdout!.destroy();
    child.stderr!.destroy();
    const { status, signal } = await ended;
    expect({ status, signal }).to.deep.equal({ status: 0, signal: null });
    expect(readFileSync(folder.file('a/checkpoints/latest'), 'utf8')).to.equal('300.safetensors\n');
    expect(existsSync(folder.file('a/report.html'))).to.equal(true);
  });

  it('succeeds where the reader has seen enough', async () => {
    const { child, ended } = run('plugins');
    child.stdout!.destroy();
    const { status, stderr } = await ended;
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('saves and ends with 129 at SIGHUP, also where its streams are closed', async () => {
    const { child, ended } = run('train', 'e.yaml', '--run', 'a', ...long);
    await underWay();
    child.stdout!.destroy();
    child.stderr!.destroy();
    child.kill('SIGHUP');
    const { status, signal } = await ended;
    expect({ status, signal }).to.deep.equal({ status: 129, signal: null });
    expect(existsSync(folder.file('a/checkpoints/latest'))).to.equal(true);
    expect(existsSync(folder.file('a/lock'))).to.equal(false);
  });

  it('saves and ends with 143 at SIGTERM', async () => {
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    const ended = inProcess('train', folder.file('e.yaml'), '--run', folder.file('a'), ...long);
    await underWay();
    process.emit('SIGTERM', 'SIGTERM');
    expect((await ended).status).to.equal(143);
    expect(existsSync(folder.file('a/checkpoints/latest'))).to.equal(true);
  });

  it('trains to its end after its terminal was closed', async function () {
    if (process.platform !== 'linux' || spawnSync('script', ['--version']).status !== 0) this.skip();
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    const command = commandOf([
      'train',
      'e.yaml',
      '--run',
      'a',
      '--set',
      'training.steps=300',
      'training.reportEvery=5',
      '--no-report',
    ]);
    // A shell that outlives the terminal tells the status.
    const line = `trap '' HUP; ${command.map(quoteArgument).join(' ')}; echo $? > status`;
    const terminal = spawn('script', ['-qc', line, '/dev/null'], {
      cwd: folder.path,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, TERM: 'xterm' },
    });
    await underWay();
    terminal.kill('SIGKILL');
    await until(() => lines(folder.file('status')).length > 0);
    expect(readFileSync(folder.file('status'), 'utf8')).to.equal('0\n');
    expect(existsSync(folder.file('a/checkpoints/300.safetensors'))).to.equal(true);
  });

  it('says in one line that the disk behind stdout is full, and fails', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = await start(['plugins'], folder.path, { stdio: ['ignore', full, 'pipe'] }).ended;
    expect(status).to.equal(1);
    expect(stderr).to.match(/^error FM_FILE: Cannot write the results to stdout: ENOSPC[^\n]*\n$/);
    writeFileSync(folder.file('e.yaml'), tinyExperiment);
    await inProcess('train', folder.file('e.yaml'), '--run', folder.file('a'), '--no-report');
    const unheard = start(['sample', 'a', '--count', '10', '--out', 's.npy'], folder.path, {
      stdio: ['ignore', full, full],
    });
    expect((await unheard.ended).status, 'the result was not told').to.equal(1);
    expect(existsSync(folder.file('s.npy')), 'and the work was done').to.equal(true);
  });

  it('ends at once at the second interrupt, by that signal', async () => {
    const script = `
      import { Interrupts } from ${JSON.stringify(new URL('../src/terminal/interrupts.ts', import.meta.url).href)};
      import { Output } from ${JSON.stringify(new URL('../src/terminal/output.ts', import.meta.url).href)};
      new Interrupts(new Output(process, {}), 'Stopping.');
      setInterval(() => {}, 1000);
      console.error('ready');`;
    writeFileSync(folder.file('busy.mjs'), script);
    const busy = start([], folder.path, { program: folder.file('busy.mjs') });
    await seen(busy, /ready/);
    busy.child.kill('SIGTERM');
    await seen(busy, /Stopping/);
    busy.child.kill('SIGINT');
    const { status, signal } = await busy.ended;
    expect({ status, signal }).to.deep.equal({ status: null, signal: 'SIGINT' });
  });
});
