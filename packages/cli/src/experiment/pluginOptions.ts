import type { Plugin, PluginKind } from '@flow-matching/core';
import type * as z from 'zod';
import { optionsSchema, type JsonSchema } from './optionsSchema.ts';

/** An option of a plugin, for listings and messages. */
export interface OptionDescription {
  readonly name: string;
  /** In words: `integer > 0`, `silu | gelu | …`, `schedule`. */
  readonly type: string;
  /** As written in experiment files; absent if there is none. */
  readonly default?: unknown;
  readonly required: boolean;
  /** Description in a sentence; absent if its schema has none. */
  readonly description?: string;
}

/** The options of a schema, in its order. */
export function describeOptions(
  schema: z.ZodType,
  nested: Readonly<Record<string, PluginKind>> = {},
): OptionDescription[] {
  const { properties = {}, required = [] } = optionsSchema(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: nested[name] ?? describeType(property),
    required: required.includes(name),
    ...('default' in property && { default: property.default }),
    ...(property.description !== undefined && { description: property.description }),
  }));
}

/** The options of a plugin, with the defaults that apply if no option is given. */
export function optionsOf(plugin: Plugin): OptionDescription[] {
  const completed = completedDefaults(plugin);
  return describeOptions(plugin.options, plugin.nested).map((option) =>
    option.name in completed && !('default' in option)
      ? Object.assign(option, { default: completed[option.name] })
      : option,
  );
}

/** All options of a plugin given only these, with their resulting values; empty if these are invalid. */
export function completedDefaults(
  plugin: Plugin,
  given: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const parsed = plugin.options.safeParse(given);
  return parsed.success ? (plugin.complete(parsed.data) as Record<string, unknown>) : {};
}

/** A default in a listing: a plugin by its name, everything else as JSON. */
export const writtenDefault = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : JSON.stringify(value);

/** The largest number of a schema's type, which is no bound that its author wrote. */
const largestOf = ({ type }: JsonSchema): number =>
  type === 'integer' ? Number.MAX_SAFE_INTEGER : (2 - 2 ** -23) * 2 ** 127;

function describeType(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(describeType).join(' | ');
  if (schema.type === 'array') return `list of ${schema.items ? describeType(schema.items) : 'values'}`;
  const bounds = [
    schema.exclusiveMinimum !== undefined && `> ${schema.exclusiveMinimum}`,
    schema.minimum !== undefined && schema.minimum > -largestOf(schema) && `≥ ${schema.minimum}`,
    schema.exclusiveMaximum !== undefined && `< ${schema.exclusiveMaximum}`,
    schema.maximum !== undefined && schema.maximum < largestOf(schema) && `≤ ${schema.maximum}`,
  ].filter((bound) => bound !== false);
  return [schema.type ?? 'value', bounds.join(', ')].filter(Boolean).join(' ');
}
