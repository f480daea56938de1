import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

describe('the example packages, copied out of the repository', function () {
  this.timeout(900_000);

  // What is published is dist.
  before(() => run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root }));

  for (const name of ['custom-backend', 'custom-path', 'custom-solver']) {
    it(`${name} compiles strictly by its own tsconfig, and its test passes with the settings of mocha`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'example-'));
      try {
        const ignored = new Set(['node_modules', 'dist'].map((part) => join(root, 'examples', name, part)));
        await cp(join(root, 'examples', name), folder, {
          recursive: true,
          filter: (source) => !ignored.has(source),
        });
        await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
        const { scripts, dependencies, devDependencies } = JSON.parse(
          await readFile(join(folder, 'package.json'), 'utf8'),
        ) as Manifest;
        // Whatever its source, test and scripts use is among its dependencies.
        const declared = Object.keys({ ...dependencies, ...devDependencies });
        expect(declared).to.include.members([
          '@flow-matching/core',
          '@flow-matching/conformance',
          'mocha',
          'tsx',
          'typescript',
        ]);
        const tsconfig = JSON.parse(await readFile(join(folder, 'tsconfig.json'), 'utf8')) as {
          extends?: string;
          compilerOptions: { strict: boolean };
        };
        expect(tsconfig.extends).to.equal(undefined);
        expect(tsconfig.compilerOptions.strict).to.equal(true);
        for (const script of ['build', 'test']) {
          const env = { ...process.env, PATH: `${join(folder, 'node_modules/.bin')}:${process.env['PATH']}` };
          const { stdout } = await run('sh', ['-c', scripts[script]], { cwd: folder, env });
          if (script === 'test')
            expect(stdout)
              .to.match(/^ +[1-9]\d* passing/m)
              .and.not.to.match(/failing|pending/);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
