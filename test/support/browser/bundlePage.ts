import { build } from 'esbuild';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { browserOptions, bundleLibrary, libraryEntry, libraryPackages } from '../../../browser/bundleLibrary.ts';

/** A file by its path on the server. */
export type Site = ReadonlyMap<string, ServedFile>;

export interface ServedFile {
  readonly type: string;
  readonly contents: string | Uint8Array;
}

const javascript = 'text/javascript; charset=utf-8';

/** The page of test/browser, which takes the library from the very module that browsers get. */
export async function bundlePage(): Promise<Site> {
  const [library, page] = await Promise.all([
    bundleLibrary(),
    build({
      ...browserOptions,
      entryPoints: ['test/browser/page.ts'],
      external: [...libraryPackages],
      sourcemap: 'inline',
      splitting: true,
      outdir: '.',
    }),
  ]);
  const imports = Object.fromEntries(libraryPackages.map((name) => [name, `/library/${libraryEntry}`]));
  const html = `<!doctype html>
<meta charset="utf-8">
<title>Flow matching</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/page.js"></script>
`;
  return new Map<string, ServedFile>([
    ['/', { type: 'text/html; charset=utf-8', contents: html }],
    ...library.files.map(({ name, contents }) => [`/library/${name}`, { type: javascript, contents }] as const),
    ...wasmFiles(),
    ...page.outputFiles.map(
      ({ path, contents }) => [`/${posix.basename(path)}`, { type: javascript, contents }] as const,
    ),
  ]);
}

/** The modules of TensorFlow.js's wasm engine, under /wasm/. */
function wasmFiles(): (readonly [string, ServedFile])[] {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  return readdirSync(folder)
    .filter((name) => name.endsWith('.wasm'))
    .map((name) => [`/wasm/${name}`, { type: 'application/wasm', contents: readFileSync(join(folder, name)) }]);
}
