import { assert, expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blocksOf } from './support/runDocument.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Trainings that take minutes are cut short; everything else of a command is as the document has it. */
const short = 'training.steps=40 training.batchSize=64 model.width=32 model.depth=3';

function shortened(line: string): string {
  if (line === 'npm start') return `npm start -- --set ${short}`;
  if (!/^npx flow-matching train \S+\.yaml/.test(line)) return line;
  return `${line}${line.includes('--set') ? '' : ' --set'} ${short}`;
}

describe('a fresh clone', function () {
  this.timeout(3_600_000);
  let folder: string;
  before(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'flow-matching-clone-')))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const clone = (): string => join(folder, 'flow-matching');
  const project = (): string => join(folder, 'my-project');

  it('is installed by npm ci, and its command says that it has to be built', async () => {
    await done(`git clone --quiet ${root} flow-matching`, folder);
    await done('npm ci --prefer-offline', clone());
    const { status, output } = await ran('npx flow-matching --help', clone());
    expect(output).to.match(/flow-matching is not compiled yet: .*\nRun 'npm run build' in /);
    expect(status).to.equal(1);
  });

  it("runs every command of README's, in order", async () => {
    const lines = (await blocksOf('README.md', 'sh'))
      .join('')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.slice(0, 2)).to.deep.equal(['npm ci', 'npm start']);
    expect(lines.length).to.be.above(20);
    // npm ci is done.
    await done(lines.slice(1).map(shortened).join('\n'), clone());
    for (const file of [
      'runs/checkerboard-1/report.html',
      'samples.npy',
      'trajectories.csv',
      'comparison/compare.html',
    ])
      expect(existsSync(join(clone(), file)), file).to.equal(true);
  });

  it('packs packages whose declarations are sound, and that a project of one’s own runs', async () => {
    // README's last commands made the project.
    expect(existsSync(join(project(), 'library.ts'))).to.equal(true);
    const compilerOptions = {
      strict: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2023',
      types: [],
      outDir: 'out',
    };
    writeFileSync(join(project(), 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    for (const name of ['tensor', 'core', 'backend-onnx', 'backend-webgpu', 'conformance']) {
      const blocks = await blocksOf(`packages/${name}/README.md`, 'ts');
      expect(blocks, name).to.have.length(1);
      writeFileSync(join(project(), `${name}.ts`), blocks[0]);
    }
    await done(`${process.execPath} ${tsc} -p .`, project());
    expect((await done('node out/library.js', project())).replaceAll(/\d+\.\d+/g, '#')).to.match(
      /log-likelihood # nats/,
    );
    await done('node out/tensor.js && node out/core.js && node out/conformance.js', project());
    // A condition of this name is others' too.
    await done('node --conditions=source node_modules/.bin/flow-matching plugins', project());
  });
});

/** Runs lines of a shell and gives what they printed. @throws AssertionError where one fails. */
async function done(lines: string, cwd: string): Promise<string> {
  const { status, output } = await ran(lines, cwd);
  assert(status === 0, `status ${status} of\n${lines}\n\n${output.slice(-4000)}`);
  return output;
}

/** Runs lines of a shell to the first that fails; shows each before it runs. */
function ran(lines: string, cwd: string): Promise<{ status: number | null; output: string }> {
  // As a user's shell has it: nothing of the test run's own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|INIT_CWD$)/.test(name)),
  );
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-ec', `set -x\n${lines}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}
