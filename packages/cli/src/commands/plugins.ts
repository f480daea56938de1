import { pluginKinds, PluginRegistry, type PluginKind } from '@flow-matching/core';
import { UsageError } from '../errors.ts';
import { optionsOf, type OptionDescription } from '../experiment/pluginOptions.ts';
import { formatTable } from '../terminal/formatTable.ts';
import type { CommandContext } from './cliCommand.ts';

interface PluginsOptions {
  readonly kind?: string;
}

export async function plugins({ output, root }: CommandContext, _: [], { kind }: PluginsOptions): Promise<void> {
  if (kind !== undefined && !pluginKinds.includes(kind as PluginKind))
    throw new UsageError(`There is no kind '${kind}'.`, { actual: kind, expected: `one of ${pluginKinds.join(', ')}` });
  const registry = new PluginRegistry(root);
  const kinds = pluginKinds.filter((each) => kind === undefined || each === kind);
  const listed = kinds.map((each) => ({
    kind: each,
    plugins: registry
      .list(each)
      .map((plugin) => ({ name: plugin.pluginName, summary: plugin.summary, options: optionsOf(plugin) })),
  }));
  const text = listed.flatMap(({ kind: title, plugins: found }) => [
    title,
    ...found.flatMap(({ name, summary, options }) => [
      `  ${name}  ${summary}`,
      ...(options.length > 0 ? [indent(formatTable(options.map(optionRow)), 6)] : []),
    ]),
    '',
  ]);
  output.result(
    text.join('\n').trimEnd(),
    Object.fromEntries(listed.map(({ kind: title, plugins: found }) => [title, found])),
  );
}

function optionRow({ name, type, required, ...option }: OptionDescription): string[] {
  const fallback = option.default;
  const written =
    typeof fallback === 'object' && fallback !== null && 'name' in fallback
      ? String(fallback.name)
      : JSON.stringify(fallback);
  return [name, type, required ? 'required' : fallback === undefined ? '' : `default ${written}`];
}

const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
