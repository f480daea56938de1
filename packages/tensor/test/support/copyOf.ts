import { cp, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Copy<Module> {
  readonly module: Module;
  remove(): Promise<void>;
}

/**
 * Another copy of the sources of a package, as two versions of it in one program are.
 *
 * @param test the URL of a test of the package, beside which the copy lies, so that it finds the packages that they import
 */
export async function copyOf<Module>(test: string): Promise<Copy<Module>> {
  const here = dirname(fileURLToPath(test));
  const directory = await mkdtemp(join(here, 'copy-'));
  await cp(join(here, '..', 'src'), join(directory, 'src'), { recursive: true });
  const module = (await import(pathToFileURL(join(directory, 'src', 'index.ts')).href)) as Module;
  return { module, remove: () => rm(directory, { recursive: true, force: true }) };
}
