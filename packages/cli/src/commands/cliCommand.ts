import type { Command } from 'commander';
import type { Container } from 'inversify';
import type { Output } from '../terminal/output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly output: Output;
  /** Knows the plugins and backends that come along. */
  readonly root: Container;
}

/** What a command does, given its arguments and options. */
export type CommandWork<Arguments extends readonly unknown[] = never, Options = never> = (
  context: CommandContext,
  args: Arguments,
  options: Options,
) => Promise<void>;

/**
 * A command as it is written on the command line. Help is printed from this alone, so the file of a CliCommand imports nothing heavy;
 * what the command does is loaded when it is run. `--json`, `--quiet` and `--help` are added to every command.
 */
export interface CliCommand {
  readonly name: string;
  configure(command: Command): Command;
  load(): Promise<CommandWork>;
}
