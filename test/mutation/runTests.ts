import { spawn } from 'node:child_process';

/** How the tests of an edit ended. */
export type Outcome = 'passed' | 'failed' | 'timed out';

/** Runs test files, `FILE` or `FILE#GREP`, one after another in a checkout, up to the first that does not pass. */
export async function runTests(root: string, tests: readonly string[], limit: number): Promise<Outcome> {
  for (const test of tests) {
    const [file, grep] = test.split('#');
    const args = [
      '--conditions=@flow-matching/source',
      '--import=./test/support/register.js',
      'node_modules/mocha/bin/mocha.js',
      '--no-config',
      '--no-package',
      '--extension=ts',
      '--timeout=60000',
      '--bail',
      '--exit',
      ...(grep === undefined ? [] : ['--grep', grep]),
      file,
    ];
    const outcome = await ended(root, args, limit);
    if (outcome !== 'passed') return outcome;
  }
  return 'passed';
}

function ended(root: string, args: readonly string[], limit: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore', timeout: limit, killSignal: 'SIGKILL' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? 'passed' : code === null ? 'timed out' : 'failed'));
  });
}
