'use strict';

/** Test files that the command line names are run alone: `npm test -- packages/core/test/tensor.test.ts`. */
const words = process.argv.slice(2);
const named = words.some((word) => word.endsWith('.test.ts') && !word.includes('*'));
/**
 * `npm test` alone runs in two processes. A choice of tests runs in one: it then prints as it goes, `.only` works, and gpuTests reads
 * `--grep` from the arguments, which workers do not have. So does `npm run test:full`: its long tests have the machine to themselves.
 */
const parallel = words.length === 2 && words[0] === '--ignore';

module.exports = {
  // The longest files are in `test`; started last, one would run alone.
  ...(!named && { spec: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'] }),
  ...(parallel && { parallel, jobs: 2 }),
  ignore: ['**/*.gpu.test.ts'],
  extension: ['ts'],
  'node-option': ['conditions=@flow-matching/source', 'import=./test/support/register.js'],
  reporter: './test/support/reporter.cjs',
  // Ends a test that hangs; on a busy machine others are slow too.
  timeout: 60_000,
};
