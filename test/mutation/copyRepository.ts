import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Packages of the repository, which its copy must find in itself. */
const own = /^(@flow-matching|flow-matching-example-.*|\..*)$/;

/** The working tree as it stands, in a folder of its own, with the modules of the original. */
export function copyRepository(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  const listed = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\0')) {
    // A file that was removed and not committed is still listed.
    if (file === '' || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const modules = join(root, 'node_modules');
  mkdirSync(join(copy, 'node_modules', '@flow-matching'), { recursive: true });
  for (const name of readdirSync(modules))
    if (!own.test(name)) symlinkSync(join(modules, name), join(copy, 'node_modules', name));
  for (const name of readdirSync(join(root, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', '@flow-matching', name));
    const nested = join(root, 'packages', name, 'node_modules');
    if (existsSync(nested)) symlinkSync(nested, join(copy, 'packages', name, 'node_modules'));
  }
  return copy;
}
