import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleLibrary, sizeBudget } from './bundleLibrary.ts';

// Writes the library for browsers to dist/ and prints what it weighs: npm run build:browser

const folder = fileURLToPath(new URL('../dist/', import.meta.url));
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);

const { files, gzipBytes, packages } = await bundleLibrary();
await mkdir(folder, { recursive: true });
for (const { name, contents } of files) await writeFile(`${folder}${name}`, contents);

console.log('minified, by package');
for (const [name, bytes] of packages) console.log(`${kilobytes(bytes)}  ${name}`);
console.log('\ngzip, by file');
for (const file of files.filter(({ name }) => name.endsWith('.js')))
  console.log(`${kilobytes(file.gzipBytes)}  dist/${file.name}${file.isInitial ? '' : ', loaded when it is needed'}`);
console.log(`\n${kilobytes(gzipBytes)}  gzip of what a page loads, of ${sizeBudget / 1000} kB`);
