import type { Plugin, PluginKind } from '@flow-matching/core';
import * as z from 'zod';

/** An option of a plugin, for listings and messages. */
export interface OptionDescription {
  readonly name: string;
  /** In words: `integer > 0`, `silu | gelu | …`, `schedule`. */
  readonly type: string;
  /** As experiment files write it; absent where there is none. */
  readonly default?: unknown;
  readonly required: boolean;
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** The options of a schema, in its order. */
export function describeOptions(
  schema: z.ZodType,
  nested: Readonly<Record<string, PluginKind>> = {},
): OptionDescription[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema;
  return Object.entries(properties).map(([name, property]) => {
    const description = { name, type: nested[name] ?? describeType(property), required: required.includes(name) };
    return 'default' in property ? Object.assign(description, { default: property.default }) : description;
  });
}

export const optionsOf = ({ options, nested }: Plugin): OptionDescription[] => describeOptions(options, nested);

function describeType(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(describeType).join(' | ');
  if (schema.type === 'array') return `list of ${schema.items ? describeType(schema.items) : 'values'}`;
  const bounds = [
    schema.exclusiveMinimum !== undefined && `> ${schema.exclusiveMinimum}`,
    schema.minimum !== undefined && schema.minimum > Number.MIN_SAFE_INTEGER && `≥ ${schema.minimum}`,
    schema.exclusiveMaximum !== undefined && `< ${schema.exclusiveMaximum}`,
    schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER && `≤ ${schema.maximum}`,
  ].filter((bound) => bound !== false);
  return [schema.type ?? 'value', bounds.join(', ')].filter(Boolean).join(' ');
}
