import type { Command } from 'commander';
import type { Container } from 'inversify';
import type { Output } from '../terminal/output.ts';

/** The context of a command. */
export interface CommandContext {
  readonly output: Output;
  /** The container of the built-in plugins and backends. */
  readonly root: Container;
}

/** The implementation of a command, given its arguments and options. */
export type CommandWork<Arguments extends readonly unknown[] = never, Options = never> = (
  context: CommandContext,
  args: Arguments,
  options: Options,
) => Promise<void>;

/**
 * The command-line interface of a command. Help is printed from this alone, so the file of a CliCommand imports nothing heavy;
 * the implementation is loaded when the command runs. `--json`, `--quiet` and `--help` are added to every command.
 */
export interface CliCommand {
  readonly name: string;
  configure(command: Command): Command;
  load(): Promise<CommandWork>;
}
