import { pluginKinds, PluginRegistry, type Plugin } from '@flow-matching/core';
import { FlowMatchingError, largestCount, OptionError } from '@flow-matching/tensor';
import { expect } from 'chai';
import type * as z from 'zod';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { frameSchema } from '../src/experiment/experiment.ts';
import { optionsSchema, type JsonSchema } from '../src/experiment/optionsSchema.ts';

const registry = new PluginRegistry(createRootContainer());
const plugins = pluginKinds.flatMap((kind): readonly Plugin[] => registry.list(kind));

/** Any integer that a number can hold is a seed, and none takes memory. */
const seeds = new Set(['seed', 'splitSeed']);

/** A place in the options that takes numbers. */
interface NumberPlace {
  readonly path: readonly string[];
  readonly isInteger: boolean;
  readonly maximum: number | undefined;
  /** Options that have this number there and nothing else. */
  readonly holding: (value: number) => unknown;
}

/** Every place where a schema takes a number: in records, in lists, among alternatives. */
function numberPlaces(schema: JsonSchema): readonly NumberPlace[] {
  const { type, enum: values, const: value, maximum, anyOf = [], properties = {}, additionalProperties } = schema;
  if (values !== undefined || value !== undefined) return [];
  if (type === 'number' || type === 'integer')
    return [{ path: [], isInteger: type === 'integer', maximum, holding: (number) => number }];
  const within = (inner: JsonSchema, key: string, around: (value: unknown) => unknown): NumberPlace[] =>
    numberPlaces(inner).map(({ path, holding, ...place }) => ({
      ...place,
      path: [key, ...path],
      holding: (number) => around(holding(number)),
    }));
  // A list for tuples.
  const items: readonly JsonSchema[] = [schema.items ?? []].flat();
  const length = Math.max(items.length, schema.minItems ?? 1);
  return [
    ...anyOf.flatMap(numberPlaces),
    ...items.flatMap((item) => within(item, '0', (inner) => new Array(length).fill(inner))),
    ...Object.entries(properties).flatMap(([key, property]) =>
      within(property, key, (inner) => ({ ...siblings(schema), [key]: inner })),
    ),
    ...(typeof additionalProperties === 'object' ? within(additionalProperties, 'a', (inner) => ({ a: inner })) : []),
  ];
}

/** What a record must have beside a number. */
const siblings = ({ properties = {}, required = [] }: JsonSchema): Record<string, unknown> =>
  Object.fromEntries(required.map((key) => [key, someValue(properties[key])]));

function someValue(schema: JsonSchema): unknown {
  const { type, enum: words, const: word, anyOf, items } = schema;
  if (anyOf) return someValue(anyOf[0]);
  if (type === 'object') return siblings(schema);
  if (type === 'array') return items ? [someValue(items)] : [];
  return word ?? words?.[0] ?? 1;
}

interface Option extends NumberPlace {
  readonly name: string;
  readonly schema: z.ZodType;
}

const optionsWithNumbers = (owner: string, schema: z.ZodType): Option[] =>
  numberPlaces(optionsSchema(schema)).map((place) => ({ ...place, schema, name: [owner, ...place.path].join('.') }));

const ofPlugins = plugins.flatMap((plugin) =>
  optionsWithNumbers(`${plugin.kind} ${plugin.pluginName}`, plugin.options).map((option) => ({ ...option, plugin })),
);
const ofExperiments = optionsWithNumbers('an experiment', frameSchema.omit({ environment: true }));

/** Whether the option itself is refused; others may be missing. */
const refuses = ({ schema, path, holding }: Option, value: number): boolean =>
  schema.safeParse(holding(value)).error?.issues.some((issue) => issue.path[0] === path[0]) ?? false;

/** Numbers that no option takes. */
const unusable = ({ isInteger, path }: Option): number[] => [
  NaN,
  Infinity,
  -Infinity,
  1e300,
  -1e300,
  ...(isInteger ? [2 ** 53, -1, 1.5] : []),
  ...(isInteger && !seeds.has(path[0]) ? [largestCount + 1] : []),
];

describe('numbers in options', () => {
  it('are found in records, lists and alternatives', () => {
    const names = ofPlugins.map(({ name }) => name);
    expect(names.length).to.be.above(150);
    expect(names).to.include.members([
      'dataset gaussian.dimension',
      'dataset gaussian-mixture.means.0.0',
      'dataset moons.shift.0',
      'path custom.constants.a.0',
      'path custom.interval.start',
      'backend onnx.session.executionProviders.0.deviceId',
    ]);
    expect(ofExperiments.map(({ path }) => path.join('.'))).to.include.members(['seed', 'training.ema']);
  });

  it('are taken where they fit', () => {
    const idle = [...ofPlugins, ...ofExperiments].filter((option) =>
      [0, 0.5, 1, 2, 3].every((value) => refuses(option, value)),
    );
    expect(idle.map(({ name }) => name)).to.deep.equal([]);
  });

  it('are refused where f32 does not hold them, and integers beyond a bound of their own, by every plugin and experiment', () => {
    const taken = [...ofPlugins, ...ofExperiments].flatMap((option) =>
      unusable(option)
        .filter((value) => !refuses(option, value))
        .map((value) => `${option.name} takes ${value}`),
    );
    expect(taken).to.deep.equal([]);
  });

  it('are refused with a typed error by what builds the plugin', () => {
    for (const { name, plugin, holding } of ofPlugins)
      for (const value of [NaN, 1e300])
        expect(() => plugin(holding(value)), `${name} = ${value}`).to.throw(OptionError);
  });

  it('are built at the bound of an integer, or refused with a typed error', () => {
    for (const { name, plugin, holding, isInteger, maximum } of ofPlugins) {
      if (!isInteger || plugin.kind === 'backend') continue;
      try {
        void plugin(holding(maximum!));
      } catch (error) {
        expect(error, name).to.be.instanceOf(FlowMatchingError);
      }
    }
  });
});
