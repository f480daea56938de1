import { Command } from 'commander';
import type { CliCommand } from './commands/cliCommand.ts';
import { commands } from './commands/usage/index.ts';
import { ownVersion } from './run/environment.ts';
import type { OutputOptions } from './terminal/output.ts';
import { writeText, type Surroundings } from './terminal/surroundings.ts';

/** Runs a command with its arguments and options from the command line. */
export type Execute = (command: CliCommand, args: readonly unknown[], options: OutputOptions) => Promise<void>;

/** The command line: its commands, their options and help. Usage errors are thrown as commander's CommanderError. */
export function createProgram(streams: Surroundings, execute: Execute): Command {
  const program = new Command('flow-matching')
    .description('Trains, samples and scores flow matching models.')
    .version(ownVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError("(see 'flow-matching --help')")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeText(streams.stdout, text),
      writeErr: (text) => writeText(streams.stderr, text),
    })
    .addHelpText(
      'after',
      '\nOptions of a command: flow-matching COMMAND --help\nExit status: 0 done, 1 failed, 2 wrong usage; 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.',
    );
  for (const definition of commands) {
    const { name } = definition;
    const command = definition
      .configure(program.command(name))
      .option('--json', 'print one JSON document on stdout')
      .option('--quiet', 'print no progress and no notes')
      .helpOption('--help', 'print this help')
      .showHelpAfterError(`(see 'flow-matching ${name} --help')`);
    command.action(async () => execute(definition, command.processedArgs, command.opts<OutputOptions>()));
  }
  return program;
}
