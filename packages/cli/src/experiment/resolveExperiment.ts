import {
  loadPlugins,
  nearestName,
  PluginRegistry,
  type Plugin,
  type PluginKind,
  type PluginSpec,
} from '@flow-matching/core';
import { shorten } from '@flow-matching/tensor';
import type { Container } from 'inversify';
import { resolve } from 'node:path';
import type { FileRecord } from '../container/recordingFiles.ts';
import { ExperimentError } from '../errors.ts';
import { describeIssue, type Problem } from './describeIssue.ts';
import { frameSchema, partNames, parts, type Experiment } from './experiment.ts';
import type { ExperimentSource, Path } from './experimentSource.ts';
import { importModule } from './importModule.ts';
import { completedDefaults, describeOptions } from './pluginOptions.ts';
import { showValue } from './showValue.ts';

/** A checked experiment, and the folder to which its file names are relative. */
export interface ResolvedExperiment {
  readonly experiment: Experiment;
  /** Absolute. */
  readonly directory: string;
  /** Information about the run in the run directory's copy. */
  readonly environment: {
    readonly hash?: string | undefined;
    readonly backend?: string | undefined;
    /** Data files that the training read. */
    readonly files?: Readonly<Record<string, FileRecord>> | undefined;
  };
}

/**
 * Checks an experiment against the plugins in the container, loads its plugin modules into that container, and fills in every
 * default.
 *
 * @throws ExperimentError that lists all problems, each with file, line and column; PluginError for a module.
 */
export async function resolveExperiment(
  source: ExperimentSource,
  container: Container,
  checkPlugins: (plugins: readonly string[]) => void = () => {},
): Promise<ResolvedExperiment> {
  const value = source.value as Record<string, unknown>;
  const frame = frameSchema.safeParse(value);
  const problems: Problem[] = frame.success
    ? []
    : frame.error.issues.flatMap((issue) =>
        describeIssue(issue, { source, base: [], value, schema: frameSchema, owner: 'an experiment' }),
      );
  const { plugins, environment = {} } = frame.data ?? { plugins: [] };
  const directory = resolve(source.directory, environment.directory ?? '.');
  checkPlugins(plugins);
  await loadPlugins(container, plugins, (specifier) => importModule(specifier, directory));
  const check = new PartCheck(source, new PluginRegistry(container), problems);
  const specs = Object.fromEntries(
    partNames.map((part) => [part, check.part([part], parts[part].kind, value[part], parts[part].fallback)]),
  );
  if (problems.length > 0 || !frame.success) throw problemsError(problems);
  const { name = source.title, seed, training } = frame.data;
  const { data, path, coupling, objective, timeSampler, model, optimizer, solver, backend } = specs as Record<
    keyof typeof parts,
    PluginSpec
  >;
  return {
    experiment: {
      name,
      seed,
      data,
      path,
      coupling,
      objective,
      timeSampler,
      model,
      optimizer,
      training,
      solver,
      backend,
      plugins,
    },
    directory,
    environment,
  };
}

function problemsError(problems: readonly Problem[]): ExperimentError {
  return new ExperimentError(problems.map(({ location, message }) => `${location}: ${message}`).join('\n'), {
    actual: problems,
  });
}

/** Checks the parts supplied by plugins and collects problems. */
class PartCheck {
  readonly #source: ExperimentSource;
  readonly #registry: PluginRegistry;
  readonly #problems: Problem[];

  constructor(source: ExperimentSource, registry: PluginRegistry, problems: Problem[]) {
    this.#source = source;
    this.#registry = registry;
    this.#problems = problems;
  }

  /** The spec with its defaults, or undefined after adding a problem. A plain name is a part without options. */
  part(path: Path, kind: PluginKind, given: unknown, fallback: string | undefined): PluginSpec | undefined {
    const record = given === undefined || given === null ? {} : typeof given === 'string' ? { name: given } : given;
    if (typeof record !== 'object' || Array.isArray(record)) {
      return this.#refuse(
        path,
        'value',
        `${path.join('.')} is ${showValue(given)}. Expected a ${kind}: its name, or a record of name and options.`,
      );
    }
    const { name = fallback, ...options } = record as Record<string, unknown>;
    const known = this.#registry.list(kind).map(({ pluginName }) => pluginName);
    if (name === undefined) {
      return this.#refuse(
        path,
        'value',
        given === undefined
          ? `${path.join('.')} is missing. Expected a ${kind}, one of ${known.join(', ')}.`
          : `${path.join('.')} has no name. Expected one of ${known.join(', ')}.`,
      );
    }
    if (typeof name !== 'string' || !known.includes(name)) {
      const shown = typeof name === 'string' ? shorten(name) : showValue(name);
      const nearest = nearestName(shown, known);
      const at = typeof given === 'string' ? path : [...path, 'name'];
      return this.#refuse(
        at,
        'value',
        `There is no ${kind} named '${shown}'. Expected one of ${known.join(', ')}.${nearest === undefined ? '' : ` Did you mean '${nearest}'?`}`,
      );
    }
    return this.#options(path, this.#registry.find(kind, name), options);
  }

  #options(path: Path, plugin: Plugin, given: Readonly<Record<string, unknown>>): PluginSpec | undefined {
    const described = describeOptions(plugin.options, plugin.nested);
    const options = this.#overridden(path, plugin, given);
    const written: Record<string, unknown> = { ...options };
    const built: Record<string, unknown> = { ...options };
    for (const { name, default: fallback } of described) {
      const nested = plugin.nested[name];
      if (nested === undefined) {
        if (!(name in options) && fallback !== undefined) written[name] = fallback;
        continue;
      }
      const given = options[name] ?? fallback;
      if (given === undefined) continue;
      const spec = this.part([...path, name], nested, given, undefined);
      if (!spec) return undefined;
      written[name] = spec;
      const part: unknown = this.#registry.build(nested, spec);
      // Only its kind is checked here; errors in reading its files are reported when it is built.
      if (part instanceof Promise) part.catch(() => undefined);
      built[name] = part;
    }
    const parsed = plugin.options.safeParse(built);
    if (parsed.success) {
      const checked = parsed.data as Record<string, unknown>;
      const completed = plugin.complete(checked) as Record<string, unknown>;
      const dependent = Object.entries(completed).filter(([name]) => !(name in checked));
      return { name: plugin.pluginName, ...written, ...Object.fromEntries(dependent) };
    }
    const context = {
      source: this.#source,
      base: path,
      value: options,
      schema: plugin.options,
      owner: `the ${plugin.kind} '${plugin.pluginName}'`,
    };
    for (const issue of parsed.error.issues)
      for (const problem of describeIssue(issue, context)) this.#problems.push(problem);
    return undefined;
  }

  /** The file's options without those that no longer apply, given the command line: `--steps 20` drops the tolerances of an adaptive solver. */
  #overridden(
    path: Path,
    plugin: Plugin,
    options: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> {
    const isSet = ([name]: [string, unknown]): boolean => this.#source.isSet([...path, name]);
    const settings = Object.entries(options).filter(isSet);
    if (settings.length === 0) return options;
    const usual = completedDefaults(plugin);
    const beside = completedDefaults(plugin, Object.fromEntries(settings));
    return Object.fromEntries(
      Object.entries(options).filter((option) => isSet(option) || !(option[0] in usual) || option[0] in beside),
    );
  }

  #refuse(path: Path, at: 'key' | 'value', message: string): undefined {
    this.#problems.push({ location: this.#source.locate(path, at), key: path.join('.'), message });
  }
}
