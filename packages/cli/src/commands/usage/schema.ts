import type { CliCommand } from '../cliCommand.ts';

export const schema: CliCommand = {
  name: 'schema',
  configure: (command) =>
    command
      .summary('print a JSON Schema of experiment files, for editors')
      .description(
        'Prints a JSON Schema of experiment files, with which an editor completes, explains and checks them as you type.',
      )
      .option('--plugin <module...>', 'include the plugins of these modules: packages, or paths such as ./my-path.js')
      .addHelpText(
        'after',
        `
Example:
  flow-matching schema > experiment.schema.json
and as the first line of an experiment file
  # yaml-language-server: $schema=experiment.schema.json`,
      ),
  load: async () => (await import('../schema.ts')).schema,
};
