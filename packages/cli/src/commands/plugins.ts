import { pluginKinds, PluginRegistry } from '@flow-matching/core';
import { UsageError } from '../errors.ts';
import { experimentKeys } from '../experiment/experimentKeys.ts';
import { optionsOf, writtenDefault, type OptionDescription } from '../experiment/pluginOptions.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { wrapped } from '../terminal/wrapped.ts';
import type { CommandContext } from './cliCommand.ts';

interface PluginsOptions {
  readonly kind?: string;
}

export async function plugins({ output, root }: CommandContext, _: [], { kind }: PluginsOptions): Promise<void> {
  if (kind !== undefined && !listings.includes(kind))
    throw new UsageError(`There is no kind '${kind}'.`, { actual: kind, expected: `one of ${listings.join(', ')}` });
  const registry = new PluginRegistry(root);
  const isListed = (title: string): boolean => kind === undefined || kind === title;
  const keys = isListed('experiment') ? experimentKeys() : undefined;
  const listed = pluginKinds.filter(isListed).map((each) => ({
    kind: each,
    plugins: registry
      .list(each)
      .map((plugin) => ({ name: plugin.pluginName, summary: plugin.summary, options: optionsOf(plugin) })),
  }));
  const text = [
    ...(keys ? ['experiment', optionTable(keys, 2), ''] : []),
    ...listed.flatMap(({ kind: title, plugins: found }) => [
      title,
      ...found.flatMap(({ name, summary, options }) => [
        `  ${name}  ${summary}`,
        ...(options.length > 0 ? [optionTable(options, 6)] : []),
      ]),
      '',
    ]),
  ];
  output.result(text.join('\n').trimEnd(), {
    ...(keys && { experiment: keys }),
    ...Object.fromEntries(listed.map(({ kind: title, plugins: found }) => [title, found])),
  });
}

/** What can be listed: the keys of an experiment file, and each kind of plugin. */
const listings: readonly string[] = ['experiment', ...pluginKinds];

/** Maximum width of a description in columns, so that lines stay readable. */
const descriptionWidth = 72;

const optionTable = (options: readonly OptionDescription[], by: number): string =>
  indent(formatTable(options.flatMap(optionRows)), by);

function optionRows({ name, type, required, description = '', ...option }: OptionDescription): string[][] {
  const fallback = option.default === undefined ? '' : `default ${writtenDefault(option.default)}`;
  const [first, ...rest] = wrapped(description, descriptionWidth);
  return [[name, type, required ? 'required' : fallback, first], ...rest.map((line) => ['', '', '', line])];
}

const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
