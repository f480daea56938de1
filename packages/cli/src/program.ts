import { Command } from 'commander';
import { commands } from './commands/index.ts';
import type { CommandContext } from './commands/cliCommand.ts';
import { createRootContainer } from './container/createRootContainer.ts';
import { versions } from './run/environment.ts';
import { Output, type OutputOptions } from './terminal/output.ts';
import type { Surroundings } from './terminal/surroundings.ts';

/** The command line: its commands, their options and help. Wrong usage is thrown as commander's CommanderError. */
export function createProgram(streams: Surroundings, onOutput: (output: Output) => void = () => {}): Command {
  const program = new Command('flow-matching')
    .description('Trains, samples and scores flow matching models.')
    .version(versions()['flow-matching'], '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError("(see 'flow-matching --help')")
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
    .addHelpText(
      'after',
      "\nOne command's options: flow-matching COMMAND --help\nExit status: 0 done, 1 failed or interrupted, 2 wrong usage.",
    );
  for (const definition of commands) {
    const { name } = definition;
    const command = definition
      .configure(program.command(name))
      .option('--json', 'print one JSON document on stdout')
      .option('--quiet', 'print no progress and no notes')
      .helpOption('--help', 'print this help')
      .showHelpAfterError(`(see 'flow-matching ${name} --help')`);
    command.action(async () => {
      const options = command.opts<OutputOptions>();
      const output = new Output(streams, options);
      onOutput(output);
      const context: CommandContext = { output, root: createRootContainer() };
      await definition.run(context, command.processedArgs as never, options as never);
    });
  }
  return program;
}
