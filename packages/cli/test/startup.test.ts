import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { start, temporaryFolder } from './support/commandLine.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const recordModules = new URL('./support/recordModules.js', import.meta.url).href;

/** What runs TypeScript here. */
const loaders = new Set(['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps']);

describe('the start of the command', () => {
  const folder = temporaryFolder();

  /** Packages that a command line loads, and the files of the other packages of this repository. */
  async function loadedBy(...args: string[]): Promise<{ packages: string[]; files: string[] }> {
    const record = folder.file('modules');
    const { status, stderr } = await start(args, folder.path, {
      imports: [recordModules],
      environment: { RECORD_MODULES: record },
    }).ended;
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const paths = readFileSync(record, 'utf8')
      .split('\n')
      .filter((path) => path.startsWith(root))
      .map((path) => path.slice(root.length).replaceAll('\\', '/').replace(/\?.*/, ''));
    const packages = paths.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    return {
      packages: [...new Set(packages)].filter((name) => !loaders.has(name) && !name.startsWith('@esbuild/')),
      files: [...new Set(paths)].filter((path) => /^packages\/(?!cli\/)/.test(path)).toSorted(),
    };
  }

  for (const args of [['--help'], ['--version'], ['train', '--help'], ['conformance', '--help']]) {
    it(`loads neither inversify, zod nor a backend for ${args.join(' ')}`, async () => {
      const { packages, files } = await loadedBy(...args);
      expect(packages).to.deep.equal(['commander']);
      // Lists that help texts show; these files import nothing.
      expect(files).to.deep.equal([
        'packages/conformance/src/case/level.ts',
        'packages/core/src/plugin/kinds.ts',
        'packages/tensor/src/limits.ts',
        'packages/tensor/src/shorten.ts',
      ]);
    });
  }

  it('loads them for commands that run', async () => {
    const { packages } = await loadedBy('plugins');
    expect(packages).to.include.members(['commander', 'inversify', 'zod']);
  });
});

describe('the executable', () => {
  const folder = temporaryFolder();
  const executable = fileURLToPath(new URL('../bin/flow-matching.js', import.meta.url));

  it('says what to do if nothing is compiled', async () => {
    const copy = folder.file('packages/cli/bin/flow-matching.js');
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(executable, copy);
    const failure = await run(process.execPath, [copy, '--help']).catch((error: unknown) => error);
    expect(failure).to.include({ code: 1, stdout: '' });
    expect(failure)
      .to.have.property('stderr')
      .that.matches(/^error: flow-matching is not compiled yet: .*\nRun 'npm run build' in .*, then try again\.\n$/);
  });

  it('is committed, executable, and what npm links', async () => {
    const { stdout } = await run('git', ['ls-files', '--stage', executable], { cwd: root });
    expect(stdout).to.match(/^100755 /);
    const { bin } = JSON.parse(readFileSync(`${root}packages/cli/package.json`, 'utf8')) as { bin: object };
    expect(bin).to.deep.equal({ 'flow-matching': 'bin/flow-matching.js' });
  });
});
