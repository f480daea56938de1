import type { ServiceIdentifier } from 'inversify';
import * as z from 'zod';
import { OptionError } from '@flow-matching/tensor';
import { thisCopy } from '../copy.ts';
import { PluginError } from '../errors.ts';
import { finiteEstimates } from './finiteEstimates.ts';
import type { PluginKind, PluginKinds } from './kinds.ts';

/** Services that a plugin may request from its container: files, clocks. */
export interface PluginContext {
  /** @throws PluginError if nothing is bound. */
  get<Service>(token: ServiceIdentifier<Service>): Service;
}

/** The context of a plugin that is called directly, without a container: it has no services. */
const noContext: PluginContext = {
  get(token) {
    throw new PluginError(`The service ${String(token)} was asked for outside a container.`, {
      actual: token,
      remedy: 'Build the plugin through a PluginRegistry whose container binds the service, or pass the data itself.',
    });
  },
};

/** The definition of a plugin by its author. */
export interface PluginDefinition<Value, Options extends z.ZodType> {
  /** The name used in experiment files. */
  readonly name: string;
  /** One line for listings. */
  readonly summary?: string;
  /** The schema of the options; unknown keys are refused. None by default. */
  readonly options?: Options;
  /** Options whose values are plugins, with their kind: `{ schedule: 'schedule' }`. Experiment files give these by name. */
  readonly nested?: Readonly<Record<string, PluginKind>>;
  /**
   * Fills in absent options whose default depends on other options. `create` receives the result, listings show it and runs
   * record it. Other defaults belong in the schema.
   */
  readonly complete?: (options: z.output<Options>) => z.output<Options>;
  readonly create: (options: z.output<Options>, context: PluginContext) => Value;
}

/** The shape of a schema without options. */
type NoOptions = Readonly<Record<string, never>>;

/** A plugin: call it with options to get an instance, or bind it so that experiment files can name it. */
export interface Plugin<
  Kind extends PluginKind = PluginKind,
  Value extends PluginKinds[Kind] = PluginKinds[Kind],
  Options extends z.ZodType = z.ZodType,
> {
  /** @throws OptionError naming the first invalid option. */
  (options?: z.input<Options>, context?: PluginContext): Value;
  readonly kind: Kind;
  readonly pluginName: string;
  readonly summary: string;
  readonly options: Options;
  readonly nested: Readonly<Record<string, PluginKind>>;
  /** Checked options with every default filled in, including defaults that depend on other options. */
  complete(options: z.output<Options>): z.output<Options>;
}

export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'function' && 'pluginName' in value && 'kind' in value;

/** @throws PluginError for a plugin that was defined with another copy of this package. */
export const checkOwnPlugin = (plugin: Plugin): void =>
  thisCopy.check(`The ${plugin.kind} '${plugin.pluginName}'`, plugin, true);

function definer<Kind extends PluginKind>(kind: Kind) {
  return <Value extends PluginKinds[Kind], Options extends z.ZodType = z.ZodObject<NoOptions>>(
    definition: PluginDefinition<Value, Options>,
  ): Plugin<Kind, Value, Options> => {
    const { name, summary = '', nested = {}, complete = (given) => given, create } = definition;
    const options = (definition.options ?? z.strictObject({})) as Options;
    const factory = (given?: z.input<Options>, context = noContext): Value =>
      create(complete(parseOptions(`${kind} '${name}'`, options, given ?? {})), context);
    return thisCopy.stamp(Object.assign(factory, { kind, pluginName: name, summary, options, nested, complete }));
  };
}

/** Validates options. @throws OptionError naming the owner, the option, its value and the expected one. */
export function parseOptions<Options extends z.ZodType>(
  owner: string,
  schema: Options,
  given: unknown,
): z.output<Options> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue.path.join('.');
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : undefined;
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  throw new OptionError(
    unknown
      ? `The ${owner} has no option '${unknown}'.`
      : `The ${owner} refuses its option${path ? ` '${path}'` : 's'}: ${issue.message}.`,
    {
      actual: unknown ?? valueAt(given, issue.path),
      ...(unknown && { expected: known.length > 0 ? `options among ${known.join(', ')}` : 'no options' }),
      cause: result.error,
    },
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

export const definePath = definer('path');
export const defineCoupling = definer('coupling');
export const defineObjective = definer('objective');
export const defineTimeSampler = definer('timeSampler');
export const defineModel = definer('model');
export const defineSolver = definer('solver');
const defineAnyEstimator = definer('estimator');
/** Like the other definers; estimates that are not finite throw a NumericalError. */
export const defineEstimator: typeof defineAnyEstimator = (definition) =>
  defineAnyEstimator({
    ...definition,
    create: (options, context) => finiteEstimates(definition.create(options, context)),
  });
export const defineOptimizer = definer('optimizer');
export const defineSchedule = definer('schedule');
export const defineDataset = definer('dataset');
export const defineBackend = definer('backend');
