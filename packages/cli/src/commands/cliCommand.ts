import type { Command } from 'commander';
import type { Container } from 'inversify';
import type { Output } from '../terminal/output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly output: Output;
  /** Knows the plugins and backends that come along. */
  readonly root: Container;
}

/** A command: how it is written on the command line, and what it does. `--json`, `--quiet` and `--help` are everyone's. */
export interface CliCommand<Arguments extends readonly unknown[] = never, Options = never> {
  readonly name: string;
  configure(command: Command): Command;
  run(context: CommandContext, args: Arguments, options: Options): Promise<void>;
}
