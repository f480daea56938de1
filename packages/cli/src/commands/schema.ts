import { loadPlugins, PluginRegistry } from '@flow-matching/core';
import { Container } from 'inversify';
import { experimentSchema } from '../experiment/experimentSchema.ts';
import { importModule } from '../experiment/importModule.ts';
import type { CommandContext } from './cliCommand.ts';

interface SchemaOptions {
  readonly plugin?: readonly string[];
}

export async function schema({ output, root }: CommandContext, _: [], { plugin = [] }: SchemaOptions): Promise<void> {
  const container = new Container({ parent: root });
  await loadPlugins(container, plugin, (specifier) => importModule(specifier, process.cwd()));
  const document = experimentSchema(new PluginRegistry(container));
  output.result(JSON.stringify(document, null, 2), document);
}
