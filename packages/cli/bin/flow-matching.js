#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Committed, so that npm links the command before anything is compiled.
const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  const repository = fileURLToPath(new URL('../../..', import.meta.url));
  process.stderr.write(
    `error: flow-matching is not compiled yet: there is no ${fileURLToPath(main)}.\nRun 'npm run build' in ${repository}, then try again.\n`,
  );
  process.exitCode = 1;
}
