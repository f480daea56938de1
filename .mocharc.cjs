'use strict';

/** Test files that the command line names are run alone: `npm test -- packages/core/test/tensor.test.ts`. */
const named = process.argv.slice(2).some((word) => word.endsWith('.test.ts') && !word.includes('*'));

module.exports = {
  ...(!named && { spec: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'] }),
  ignore: ['**/*.gpu.test.ts'],
  extension: ['ts'],
  'node-option': ['conditions=@flow-matching/source', 'import=./test/support/register.js'],
  reporter: './test/support/reporter.cjs',
  timeout: 20_000,
};
