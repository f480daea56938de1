import { levels, levelTitles } from '@flow-matching/conformance/levels';
import { parseLevels } from '../../conformance/parseLevels.ts';
import type { CliCommand } from '../cliCommand.ts';
import { parseSeed } from '../solverSettings.ts';

const describeLevels = (): string => levels.map((level) => `${level} ${levelTitles[level]}`).join(', ');

export const conformance: CliCommand = {
  name: 'conformance',
  configure: (command) =>
    command
      .summary('prove that a backend computes what it claims to')
      .description(
        'Runs every case of the conformance suite on a backend and compares the results with the f64 reference and with closed forms.',
      )
      .option('--backend <name>', 'check this backend (default: onnx)')
      .option('--module <module>', 'check the backend that a module or package exports, by default or as `backend`')
      .option('--set <key=value...>', 'options of the backend, as in --set backend.threads=1')
      .option('--level <levels>', `only these levels, as in 3, 0-2 or 0,4: ${describeLevels()}`, parseLevels)
      .option('--filter <id>', 'only cases whose id contains this; a whole id names one case')
      .option('--seed <s>', 'seed of every draw', parseSeed, 0)
      .option('--report <directory>', 'write report.json and report.html into this directory')
      .option('--list', 'print the ids and claims of the cases without running them')
      .addHelpText(
        'after',
        `
Examples:
  flow-matching conformance --backend onnx --level 0-2 --report conformance
  flow-matching conformance --module ./my-backend.js
  flow-matching conformance --backend reference --filter L1/Add`,
      ),
  load: async () => (await import('../conformance.ts')).conformance,
};
