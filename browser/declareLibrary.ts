import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { libraryEntry, libraryPackages } from './bundleLibrary.ts';

/** A file of declarations, or a licence of a package whose declarations these are. */
export interface DeclarationFile {
  /** From the folder of the module, with slashes. */
  readonly name: string;
  readonly contents: string;
}

interface Package {
  readonly name: string;
  readonly folder: string;
}

const root = fileURLToPath(new URL('../', import.meta.url));
/** Where the declarations lie, beside the module. */
const folder = 'types';

/** What stands before a specifier in declarations: imports, exports, types of other modules, and packages of global types. */
const specifiers = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\/\/\/ <reference types=)(["'])([^"'\n]+)\2/g;

/**
 * The declarations of the module for browsers: those of its packages and of all that they refer to, with references by relative paths, so that
 * they need no package. The packages must be built (`tsc -b`).
 *
 * @throws Error where a declaration refers to one that is not there.
 */
export function declareLibrary(): DeclarationFile[] {
  const files = new Map<string, DeclarationFile>();
  const entries = libraryPackages.map((name) => visit(resolvedPackage(name, root)));
  const exports = entries.map((name) => `export * from './${moduleOf(name)}';\n`);
  return [{ name: `${posix.parse(libraryEntry).name}.d.ts`, contents: exports.join('') }, ...files.values()];

  /** Adds a file and those that it refers to; gives its name. */
  function visit(path: string): string {
    const owner = packageOf(path);
    const name = nameOf(path, owner);
    if (files.has(name)) return name;
    // Before those that it refers to, because they may refer to it.
    files.set(name, { name, contents: '' });
    const contents = readFileSync(path, 'utf8')
      .replace(/^\/\/# sourceMappingURL=.*$/m, '')
      .replace(specifiers, (_, before: string, quote: string, specifier: string) => {
        const target = specifier.startsWith('.')
          ? declarationsOf(join(dirname(path), specifier))
          : resolvedPackage(specifier, dirname(path));
        const to = posix.relative(posix.dirname(name), visit(target));
        const from = to.startsWith('.') ? to : `./${to}`;
        return before.startsWith('///')
          ? `/// <reference path=${quote}${from}${quote}`
          : `${before}${quote}${moduleOf(from)}${quote}`;
      });
    files.set(name, { name, contents });
    const licence = join(owner.folder, 'LICENSE');
    if (!owner.name.startsWith('@flow-matching/') && existsSync(licence))
      files.set(nameOf(licence, owner), { name: nameOf(licence, owner), contents: readFileSync(licence, 'utf8') });
    return name;
  }
}

const nameOf = (path: string, { name, folder: owner }: Package): string =>
  posix.join(folder, name, relative(owner, path).replaceAll('\\', '/'));

/** A module as declarations refer to it: x.js is declared by x.d.ts, x.cjs by x.d.cts. */
const moduleOf = (name: string): string => name.replace(/\.d\.([cm]?)ts$/, '.$1js');

/** The file that declares a module, which is named with the extension of its source or of its output. */
function declarationsOf(module: string): string {
  const path = /\.d\.[cm]?ts$/.test(module) ? module : module.replace(/\.([cm]?)[jt]s$/, '.d.$1ts');
  const found = [path, `${path}.d.ts`, join(path, 'index.d.ts')].find(
    (file) => /\.d\.[cm]?ts$/.test(file) && existsSync(file),
  );
  if (found === undefined) throw new Error(`There are no declarations ${path}: build the packages first.`);
  return found;
}

/** The declarations of a package as a file in `from` imports it. */
function resolvedPackage(specifier: string, from: string): string {
  const [, name, inner] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier)!;
  for (let place = from; ; place = dirname(place)) {
    const manifest = join(place, 'node_modules', name, 'package.json');
    if (existsSync(manifest)) {
      const { exports, types } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown; types?: string };
      const entry = exports === undefined ? types : chosen((exports as Record<string, unknown>)[`.${inner}`]);
      if (entry !== undefined) return declarationsOf(join(realpathSync(dirname(manifest)), entry));
    }
    if (place === dirname(place)) throw new Error(`There are no declarations of '${specifier}' for ${from}.`);
  }
}

/** What a module gets of a package's exports. */
function chosen(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  const conditions = entry as Readonly<Record<string, unknown>> | undefined;
  const condition = conditions && ['import', 'types', 'default'].find((name) => name in conditions);
  return condition === undefined ? undefined : chosen(conditions![condition]);
}

/** The package that a file belongs to: the nearest folder whose package.json has a name. */
function packageOf(path: string): Package {
  for (let place = dirname(path); ; place = dirname(place)) {
    const manifest = join(place, 'package.json');
    const { name } = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }) : {};
    if (name !== undefined) return { name, folder: place };
    if (place === dirname(place)) throw new Error(`${path} belongs to no package.`);
  }
}
