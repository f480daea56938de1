import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/flow-matching/', import.meta.url));

/** What @sparticuz/chromium carries, for Linux x64. */
export type Archive = 'al2023.tar' | 'chromium' | 'swiftshader.tar';

/**
 * A folder with the contents of archives of the npm package @sparticuz/chromium, undefined where they are not for this machine.
 * Unpacked once for each version of the package; two runs at once do not disturb each other.
 */
export function unpacked(name: string, archives: readonly Archive[]): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const source = carrier();
  if (!source) return undefined;
  const folder = join(cache, `${name}-${source.version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, `.${name}-`));
  try {
    for (const archive of archives) unpack(join(source.folder, `${archive}.br`), archive, unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another run was quicker.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function carrier(): { folder: string; version: string } | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    // Its main file is somewhere below its root, where the folder bin is.
    for (let root = dirname(entry); root !== dirname(root); root = dirname(root)) {
      if (!existsSync(join(root, 'bin', 'chromium.br'))) continue;
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      return { folder: join(root, 'bin'), version };
    }
  } catch {
    // Not installed.
  }
  return undefined;
}

function unpack(file: string, archive: Archive, folder: string): void {
  const contents = brotliDecompressSync(readFileSync(file));
  if (archive === 'chromium') {
    writeFileSync(join(folder, archive), contents);
    chmodSync(join(folder, archive), 0o755);
    return;
  }
  const { status, error, stderr } = spawnSync('tar', ['-x', '--no-same-owner', '-C', folder], { input: contents });
  if (status !== 0) throw new Error(`tar could not unpack ${file}: ${error?.message ?? String(stderr)}`);
}
