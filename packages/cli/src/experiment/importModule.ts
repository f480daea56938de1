import { PluginError } from '@flow-matching/core';
import { oneLine } from '@flow-matching/tensor';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemCode } from '../disk/fileError.ts';

/** The remedy if Node is too old for a module in TypeScript. */
export const typeScriptRemedy =
  'Use Node 22.18 or later, run the command under tsx (NODE_OPTIONS="--import tsx"), or compile it to JavaScript.';

/**
 * Imports a module by a specifier that is relative to a folder: a path, or a package name resolved from the folder.
 *
 * @throws PluginError if it cannot be found or Node cannot load its language; any error of the module itself.
 */
export async function importModule(specifier: string, directory: string): Promise<Readonly<Record<string, unknown>>> {
  const file = fileOf(specifier, directory);
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    // Node's message would show the name as it is, line breaks included.
    if (!existsSync(file))
      throw new PluginError(`Cannot find module ${oneLine(file)}.`, {
        actual: file,
        expected: 'a file that exists',
        cause,
      });
    if (systemCode(cause) !== 'ERR_UNKNOWN_FILE_EXTENSION') throw cause;
    throw new PluginError(`Node ${process.versions.node} does not load TypeScript.`, {
      actual: file,
      expected: 'a module in JavaScript',
      remedy: typeScriptRemedy,
      cause,
    });
  }
}

function fileOf(specifier: string, directory: string): string {
  if (specifier.startsWith('.') || isAbsolute(specifier)) return resolve(directory, specifier);
  try {
    return createRequire(join(directory, 'experiment.js')).resolve(specifier);
  } catch (cause) {
    throw new PluginError(`There is no package '${oneLine(specifier)}' for files in ${oneLine(directory)}.`, {
      actual: specifier,
      expected: 'an installed package, or a path that begins with ./ or ../',
      remedy: `Install it there, or write ./${oneLine(specifier)} for a file.`,
      cause,
    });
  }
}
