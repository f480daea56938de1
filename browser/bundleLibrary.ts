import { build, type BuildOptions, type Metafile } from 'esbuild';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** What a browser loads as one ES module: everything these packages export. */
export const libraryPackages: readonly string[] = [
  '@flow-matching/tensor',
  '@flow-matching/core',
  '@flow-matching/plugins',
  '@flow-matching/backend-webgpu',
];

/** Bytes of gzip that a page may load before it asks for anything; descriptions of options are 2,600 of them, checks of counts 700, names of errors 100, lost arrays 200. */
export const sizeBudget = 163_000;

const root = fileURLToPath(new URL('../', import.meta.url));

/** How every bundle for browsers is made: from the sources, for browsers that have WebGPU. */
export const browserOptions = {
  absWorkingDir: root,
  tsconfig: 'tsconfig.base.json',
  bundle: true,
  format: 'esm',
  splitting: true,
  platform: 'browser',
  target: 'es2022',
  conditions: ['@flow-matching/source'],
  outdir: 'dist',
  write: false,
} as const satisfies BuildOptions;

export interface BundledFile {
  readonly name: string;
  readonly contents: Uint8Array;
  readonly gzipBytes: number;
  /** Loaded with the entry; others are loaded when they are needed. */
  readonly isInitial: boolean;
}

export interface LibraryBundle {
  readonly files: readonly BundledFile[];
  /** Of what is loaded with the entry. */
  readonly gzipBytes: number;
  /** Minified bytes by the package that they come from. */
  readonly packages: ReadonlyMap<string, number>;
}

/** The module's entry. */
export const libraryEntry = 'flow-matching.js';

/**
 * Bundles the library as browsers get it: minified, with what only some pages need in files of its own.
 *
 * @param names the packages whose exports the module has
 */
export async function bundleLibrary(names: readonly string[] = libraryPackages): Promise<LibraryBundle> {
  const { outputFiles, metafile } = await build({
    ...browserOptions,
    stdin: {
      contents: names.map((name) => `export * from '${name}';`).join('\n'),
      resolveDir: root,
    },
    entryNames: posix.parse(libraryEntry).name,
    minify: true,
    legalComments: 'linked',
    metafile: true,
  });
  const initial = initialOutputs(metafile);
  const files = outputFiles.map(({ path, contents }): BundledFile => {
    const name = posix.basename(path);
    return {
      name,
      contents,
      gzipBytes: gzipSync(contents, { level: 9 }).length,
      isInitial: initial.has(`dist/${name}`),
    };
  });
  const gzipBytes = files.filter(({ isInitial }) => isInitial).reduce((sum, file) => sum + file.gzipBytes, 0);
  return { files, gzipBytes, packages: bytesByPackage(metafile) };
}

/** The entry and what it imports outright. */
function initialOutputs({ outputs }: Metafile): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const { path, kind } of outputs[name].imports) if (kind === 'import-statement') visit(path);
  };
  visit(`dist/${libraryEntry}`);
  return found;
}

function bytesByPackage({ outputs }: Metafile): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file.split('/').slice(0, 2).join('/');
      if (bytesInOutput > 0) bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return new Map([...bytes].toSorted(([, a], [, b]) => b - a));
}
