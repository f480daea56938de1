import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

// Loaded with --import: writes the URL or path of every module that the process loads to the file RECORD_MODULES, a line each.

const note = (module) => appendFileSync(process.env.RECORD_MODULES, `${module}\n`);

if (isMainThread) {
  register(import.meta.url);
  process.on('exit', () => Object.keys(createRequire(import.meta.url).cache).forEach(note));
}

export async function load(url, context, nextLoad) {
  note(url.startsWith('file:') ? fileURLToPath(url) : url);
  return nextLoad(url, context);
}
