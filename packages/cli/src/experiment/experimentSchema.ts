import { pluginKinds, type Plugin, type PluginKind, type PluginRegistry } from '@flow-matching/core';
import { frameSchema, partNames, parts } from './experiment.ts';
import { optionsSchema, type JsonSchema } from './optionsSchema.ts';
import { optionsOf } from './pluginOptions.ts';

/**
 * A JSON Schema (draft 7) of experiment files, for editors: the keys, their meaning and their values. A file that loads modules
 * under `plugins` may name plugins that the schema does not contain.
 */
export function experimentSchema(registry: PluginRegistry): object {
  const frame = optionsSchema(frameSchema);
  const parted = (definition: (kind: PluginKind) => string): Record<string, object> =>
    Object.fromEntries(
      partNames.map((name) => {
        const { kind, fallback, description } = parts[name];
        const reference = { $ref: `#/definitions/${definition(kind)}` };
        const unnamed = fallback === undefined ? [] : [optionsOnly(registry.find(kind, fallback)), { type: 'null' }];
        const usual = fallback === undefined ? {} : { default: fallback };
        return [name, { description, anyOf: [reference, ...unnamed], ...usual }];
      }),
    );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'flow-matching experiment',
    ...frame,
    required: partNames.filter((name) => parts[name].fallback === undefined),
    if: { required: ['plugins'], properties: { plugins: { minItems: 1 } } },
    // oxlint-disable-next-line unicorn/no-thenable
    then: { properties: parted(openName) },
    else: { properties: parted((kind) => kind) },
    definitions: Object.fromEntries(
      pluginKinds
        .filter((kind) => registry.list(kind).length > 0)
        .flatMap((kind) => {
          const known = registry.list(kind);
          return [
            [kind, { anyOf: [nameAlone(known), ...known.map((plugin) => namedOptions(plugin))] }],
            [openName(kind), { anyOf: [{ $ref: `#/definitions/${kind}` }, ...unknownPlugin(known)] }],
          ];
        }),
    ),
  };
}

/** The definition for the plugins of a kind, and for unknown plugins by name. */
const openName = (kind: PluginKind): string => `${kind}-or-plugin`;

const nameAlone = (known: readonly Plugin[]): JsonSchema => ({ enum: known.map(({ pluginName }) => pluginName) });

/** A plugin as a record of its options. */
function optionsOnly(plugin: Plugin): JsonSchema {
  const { properties = {}, ...rest } = optionsSchema(plugin.options);
  const described = optionsOf(plugin).map((option) => {
    const nested = plugin.nested[option.name];
    const property: JsonSchema = nested
      ? { description: option.description ?? '', anyOf: [{ $ref: `#/definitions/${openName(nested)}` }] }
      : properties[option.name];
    const { name } = (option.default ?? {}) as { name?: unknown };
    return [option.name, 'default' in option ? { ...property, default: nested ? { name } : option.default } : property];
  });
  return {
    description: plugin.summary,
    ...rest,
    properties: Object.fromEntries(described) as Record<string, JsonSchema>,
  };
}

/** A plugin as a record of its name and options. */
function namedOptions(plugin: Plugin): JsonSchema {
  const { properties, required = [], ...rest } = optionsOnly(plugin);
  return {
    ...rest,
    properties: { name: { const: plugin.pluginName, description: plugin.summary }, ...properties },
    required: ['name', ...required],
  };
}

/** Any name that is not known. */
const unknownPlugin = (known: readonly Plugin[]): object[] => [
  { type: 'string', not: nameAlone(known) },
  { type: 'object', properties: { name: { type: 'string', not: nameAlone(known) } }, required: ['name'] },
];
