/**
 * Makes the native engine real: TensorFlow's libraries from the PyPI wheel of tensorflow-cpu, and the addon of @tensorflow/tfjs-node compiled
 * against them. Everything comes from package registries; nothing is done where it has been done already.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const wheel = {
  version: '2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
};
const libraries = {
  'libtensorflow_cc.so.2': 'libtensorflow.so',
  'libtensorflow_framework.so.2': 'libtensorflow_framework.so',
};

const require = createRequire(import.meta.url);
const directoryOf = (name: string): string => dirname(require.resolve(`${name}/package.json`));

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const command = (name: string, args: readonly string[]): void => {
  try {
    execFileSync(name, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    const { code } = error as { code?: unknown };
    fail(code === 'ENOENT' ? `${name} is not installed. Install python3 with pip, and g++.` : `${name} failed.`);
  }
};

if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(
    `This script knows Linux on x64 only, not ${process.platform} on ${process.arch}. Elsewhere let the package fetch its own library: ` +
      'npm rebuild @tensorflow/tfjs-node --ignore-scripts=false',
  );
}

const target = directoryOf('@tensorflow/tfjs-node');
const addonDirectory = join(target, 'lib', 'napi-v8');
const addon = join(addonDirectory, 'tfjs_binding.node');
const stamp = join(addonDirectory, 'setup.json');
const made = JSON.stringify({ wheel, version: require('@tensorflow/tfjs-node/package.json').version as string });

if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === made) {
  process.stdout.write(`TensorFlow ${wheel.version} is set up in ${target}.\n`);
  process.exit(0);
}

const work = mkdtempSync(join(tmpdir(), 'flow-matching-tensorflow-'));
try {
  process.stdout.write(`Fetching tensorflow-cpu ${wheel.version} (200 MB).\n`);
  const platform = [
    '--platform',
    'manylinux2014_x86_64',
    '--platform',
    'manylinux_2_17_x86_64',
    '--python-version',
    '3.11',
  ];
  const fetch = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '--quiet',
    '--dest',
    work,
  ];
  command('python3', ['-m', 'pip', ...fetch, ...platform, `tensorflow-cpu==${wheel.version}`]);
  const file = join(
    work,
    readdirSync(work).find((name) => name.endsWith('.whl'))!,
  );
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (sha256 !== wheel.sha256) fail(`The wheel's checksum is ${sha256} and not ${wheel.sha256}.`);

  process.stdout.write('Unpacking its libraries and headers.\n');
  const unpack = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    header = name.startswith('tensorflow/include/') and name.endswith('.h')
    if header or name in ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'):
        archive.extract(name, sys.argv[2])
`;
  command('python3', ['-c', unpack, file, work]);
  const libraryDirectory = join(target, 'deps', 'lib');
  rmSync(libraryDirectory, { recursive: true, force: true });
  mkdirSync(libraryDirectory, { recursive: true });
  for (const [library, link] of Object.entries(libraries)) {
    command('mv', [join(work, 'tensorflow', library), join(libraryDirectory, library)]);
    symlinkSync(library, join(libraryDirectory, link));
  }

  process.stdout.write('Compiling the addon.\n');
  mkdirSync(addonDirectory, { recursive: true });
  const sources = readdirSync(join(target, 'binding')).filter((name) => name.endsWith('.cc'));
  const unfinished = join(work, 'tfjs_binding.node');
  command('g++', [
    '-O2',
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-DNAPI_VERSION=8',
    `-I${join(directoryOf('node-api-headers'), 'include')}`,
    `-I${join(work, 'tensorflow', 'include')}`,
    ...sources.map((name) => join(target, 'binding', name)),
    '-o',
    unfinished,
    `-L${libraryDirectory}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  command('mv', [unfinished, addon]);
  writeFileSync(stamp, made);
  process.stdout.write(`TensorFlow ${wheel.version} is set up in ${target}.\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
