import { pluginKinds } from '@flow-matching/core/kinds';
import type { CliCommand } from '../cliCommand.ts';

export const plugins: CliCommand = {
  name: 'plugins',
  configure: (command) =>
    command
      .summary('list everything that an experiment file can name, with its options')
      .description(
        'Lists the keys of an experiment file and every plugin it can name, with options, types and defaults.',
      )
      .option('--kind <kind>', `only this kind: experiment, ${pluginKinds.join(', ')}`),
  load: async () => (await import('../plugins.ts')).plugins,
};
