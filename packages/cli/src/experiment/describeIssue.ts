import { nearestName } from '@flow-matching/core';
import { shorten } from '@flow-matching/tensor';
import type { z } from 'zod';
import type { ExperimentSource, Path } from './experimentSource.ts';
import { describeOptions } from './pluginOptions.ts';
import { showValue } from './showValue.ts';

/** One problem of an experiment. */
export interface Problem {
  /** `file:line:column`, or the option of the command line. */
  readonly location: string;
  /** Dotted path of the offending key. */
  readonly key: string;
  readonly message: string;
}

const didYouMean = (name: string, known: readonly string[]): string => {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` Did you mean '${nearest}'?`;
};

/**
 * Describes an issue found by zod: the offending key, what was expected, the most similar valid name. `owner` is
 * named for unknown keys.
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  {
    source,
    base,
    value,
    schema,
    owner,
  }: { source: ExperimentSource; base: Path; value: unknown; schema: z.ZodType; owner: string },
): Problem[] {
  const path = [...base, ...(issue.path as Path)];
  const problem = (at: 'key' | 'value', of: Path, message: string): Problem => ({
    location: source.locate(of, at),
    key: of.join('.'),
    message,
  });
  if (issue.code === 'unrecognized_keys') {
    const inner = innerSchema(schema, issue.path as Path);
    const known = inner ? describeOptions(inner).map(({ name }) => name) : [];
    const of = issue.path.length > 0 ? path.join('.') : owner;
    return issue.keys.map((key) => {
      const options = known.length > 0 ? `Expected one of ${known.join(', ')}.` : 'It has none.';
      return problem(
        'key',
        [...path, key],
        `'${shorten(key)}' is not an option of ${of}. ${options}${didYouMean(key, known)}`,
      );
    });
  }
  const actual = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const subject = path.length > 0 ? path.join('.') : 'The experiment';
  if (actual === undefined && issue.code === 'invalid_type')
    return [problem('value', path, `${subject} is missing. Expected ${issue.expected}.`)];
  return [problem('value', path, `${subject} is ${showValue(actual)}. ${expectation(issue, actual)}`)];
}

function expectation(issue: z.core.$ZodIssue, actual: unknown): string {
  switch (issue.code) {
    case 'invalid_value': {
      const known = issue.values.map(String);
      return `Expected one of ${known.join(', ')}.${didYouMean(String(actual), known)}`;
    }
    case 'invalid_type':
      if (typeof actual === 'number' && issue.expected === 'number') return 'Expected a finite number.';
      return `Expected ${issue.expected === 'int' ? 'an integer' : issue.expected}.`;
    case 'too_small':
      return `Expected ${bounded(issue.origin, issue.inclusive === false ? '>' : '≥', issue.minimum)}.`;
    case 'too_big':
      return `Expected ${bounded(issue.origin, issue.inclusive === false ? '<' : '≤', issue.maximum)}.`;
    default:
      return `${issue.message.charAt(0).toUpperCase()}${issue.message.slice(1)}.`;
  }
}

const bounded = (origin: string, sign: string, bound: number | bigint): string =>
  origin === 'string' || origin === 'array'
    ? `a length ${sign} ${bound}`
    : `${origin === 'int' ? 'an integer' : 'a number'} ${sign} ${bound}`;

/** The schema of a part, found by its path. */
function innerSchema(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let inner: z.ZodType | undefined = schema;
  for (const step of path) {
    const shape = unwrapped(inner)?.shape;
    inner = shape?.[String(step)] as z.ZodType | undefined;
  }
  return unwrapped(inner);
}

/** The object schema inside defaults, transforms and similar wrappers. */
function unwrapped(schema: z.ZodType | undefined): z.ZodObject | undefined {
  const definition = schema?.def as { type: string; innerType?: z.ZodType; in?: z.ZodType } | undefined;
  if (!definition) return undefined;
  if (definition.type === 'object') return schema as z.ZodObject;
  return unwrapped(definition.innerType ?? definition.in);
}
