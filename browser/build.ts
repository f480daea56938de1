import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleLibrary, sizeBudget } from './bundleLibrary.ts';
import { declareLibrary } from './declareLibrary.ts';

// Writes the library for browsers and its declarations to dist/, and prints what it weighs: npm run build:browser

const folder = fileURLToPath(new URL('../dist/', import.meta.url));
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);

const { files, gzipBytes, packages } = await bundleLibrary();
const root = fileURLToPath(new URL('../', import.meta.url));
const compiler = `${root}node_modules/typescript/lib/tsc.js`;
const { status } = spawnSync(process.execPath, [compiler, '-b', 'packages/plugins', 'packages/backend-webgpu'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);
// No declarations of an earlier build stay.
await rm(`${folder}types`, { recursive: true, force: true });
for (const { name, contents } of [...files, ...declareLibrary()]) {
  await mkdir(dirname(`${folder}${name}`), { recursive: true });
  await writeFile(`${folder}${name}`, contents);
}

console.log('minified, by package');
for (const [name, bytes] of packages) console.log(`${kilobytes(bytes)}  ${name}`);
console.log('\ngzip, by file');
for (const file of files.filter(({ name }) => name.endsWith('.js')))
  console.log(`${kilobytes(file.gzipBytes)}  dist/${file.name}${file.isInitial ? '' : ', loaded when it is needed'}`);
console.log(`\n${kilobytes(gzipBytes)}  gzip of what a page loads, of ${sizeBudget / 1000} kB`);
