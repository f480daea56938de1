import type { Command } from 'commander';

/** How much a run is trusted. */
export interface RunOptions {
  /** Fail if the last checkpoint cannot be read, even if an earlier one can. */
  readonly strict?: boolean | undefined;
  /** Use a run although its experiment or its data have changed since it recorded them. */
  readonly force?: boolean | undefined;
  /** Load the plugin modules that the run names, which are code. */
  readonly allowPlugins?: boolean | undefined;
}

/** The options of every command that opens a run. */
export const withRunOptions = (command: Command): Command =>
  command
    .option('--strict', 'fail where the last checkpoint cannot be read, instead of using the one before')
    .option('--force', 'use the run although its experiment.yaml or its data files have changed');

/** The option of commands that take only runs: the plugins come with the run, not from the user. */
export const withPluginOption = (command: Command): Command =>
  command.option('--allow-plugins', 'load the plugin modules that the run names: code that runs as yours');
