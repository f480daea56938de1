import { PluginRegistry } from '@flow-matching/core';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { experimentSchema } from '../src/experiment/experimentSchema.ts';
import { experimentReference } from './experimentReference.ts';

const folder = new URL('../../../docs/reference/', import.meta.url);

/** Files of docs/reference that are made from the sources: where each lies, and its text. */
export function reference(): { readonly file: URL; readonly text: string }[] {
  const schema = experimentSchema(new PluginRegistry(createRootContainer()));
  const texts = {
    'experiment.md': experimentReference(),
    'experiment.schema.json': `${JSON.stringify(schema, null, 1)}\n`,
  };
  return Object.entries(texts).map(([name, text]) => ({ file: new URL(name, folder), text }));
}
