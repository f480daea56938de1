import { pluginKinds } from '@flow-matching/core/kinds';
import type { CliCommand } from '../cliCommand.ts';

export const plugins: CliCommand = {
  name: 'plugins',
  configure: (command) =>
    command
      .summary('list every registered path, model, solver, … with its options')
      .description('Lists everything an experiment file can name, by kind, with options, their types and defaults.')
      .option('--kind <kind>', `only this kind: ${pluginKinds.join(', ')}`),
  load: async () => (await import('../plugins.ts')).plugins,
};
