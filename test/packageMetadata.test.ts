import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly repository: { readonly url: string; readonly directory: string };
  readonly [key: string]: unknown;
}

describe('packages as they are published', () => {
  const packages = readdirSync(`${root}packages`);
  const manifestOf = (name: string): Manifest =>
    JSON.parse(readFileSync(`${root}packages/${name}/package.json`, 'utf8')) as Manifest;

  for (const name of packages) {
    it(`${name} says where it comes from, what it is, and how it is imported`, () => {
      const manifest = manifestOf(name);
      for (const key of [
        'description',
        'license',
        'homepage',
        'bugs',
        'keywords',
        'sideEffects',
        'publishConfig',
        'engines',
      ])
        expect(manifest, key).to.have.property(key);
      expect(manifest.repository.url).to.equal(manifestOf('core').repository.url);
      expect(manifest.repository.directory).to.equal(`packages/${name}`);
      for (const entry of Object.values(manifest.exports))
        expect(Object.keys(entry), 'a condition that consumers may set too').to.deep.equal([
          '@flow-matching/source',
          'types',
          'default',
        ]);
      expect(readFileSync(`${root}packages/${name}/README.md`, 'utf8')).to.match(new RegExp(`^# ${manifest.name}\n`));
      expect(readFileSync(`${root}packages/${name}/LICENSE`, 'utf8')).to.equal(readFileSync(`${root}LICENSE`, 'utf8'));
    });
  }

  it('are loaded from their sources in this repository under one name of a condition', async () => {
    // Under the former name Node would load dist, whatever it is of.
    const elsewhere = [':!test/packageMetadata.test.ts', ':!test/freshClone.slow.test.ts'];
    const search = promisify(execFile)('git', ['grep', '-nE', "conditions[=:] ?\\[?'?source\\b", '--', ...elsewhere], {
      cwd: root,
    });
    const found = await search.then(
      ({ stdout }) => stdout,
      () => '',
    );
    expect(found).to.equal('');
  });

  it('name no source that their archive leaves out, and weigh little', async function () {
    this.timeout(60_000);
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--workspace', 'packages'], {
      cwd: root,
      maxBuffer: 2 ** 26,
      shell: process.platform === 'win32',
    });
    const archives = JSON.parse(stdout) as { name: string; unpackedSize: number; files: { path: string }[] }[];
    expect(archives.map(({ name }) => name)).to.have.members(packages.map((name) => manifestOf(name).name));
    for (const { name, files } of archives)
      expect(
        files.map(({ path }) => path),
        name,
      ).to.include.members(['README.md', 'LICENSE', 'package.json']);
    // Without dist, which is there only after a build, the suite's data is the largest that is left.
    const data = archives.find(({ name }) => name === '@flow-matching/conformance')!;
    expect(data.unpackedSize).to.be.below(1_100_000);
  });
});
