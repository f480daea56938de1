import { Container, ContainerModule } from 'inversify';
import { PluginError } from '../errors.ts';
import { oneLine, shorten } from '@flow-matching/tensor';
import { checkOwnPlugin, isPlugin, type Plugin, type PluginContext } from './definePlugin.ts';
import { kindToken, type PluginKind, type PluginKinds } from './kinds.ts';

/** The name of a plugin together with its options, as in experiment files: `{ name: cosine, warmup: 200 }`. */
export interface PluginSpec {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** A container module that binds plugins. */
export function pluginModule(plugins: readonly Plugin[]): ContainerModule {
  for (const plugin of plugins) checkOwnPlugin(plugin);
  return new ContainerModule(({ bind }) => {
    for (const plugin of plugins) bind(kindToken(plugin.kind)).toConstantValue(plugin);
  });
}

/** The plugins bound in a container, its own before those of its parents. */
export class PluginRegistry {
  readonly #container: Container;
  readonly #context: PluginContext;

  constructor(container: Container) {
    this.#container = container;
    this.#context = {
      get(token) {
        if (container.isBound(token)) return container.get(token);
        throw new PluginError(`Nothing provides the service ${String(token)}.`, {
          actual: token,
          remedy: 'Bind it in the container.',
        });
      },
    };
  }

  list<Kind extends PluginKind>(kind: Kind): Plugin<Kind>[] {
    const bound = this.#container.getAll<Plugin<Kind>>(kindToken(kind), { chained: true, optional: true });
    // Container modules may bind plugins that pluginModule has not checked.
    for (const plugin of bound) checkOwnPlugin(plugin);
    return bound.filter((plugin, i) => bound.findIndex((other) => other.pluginName === plugin.pluginName) === i);
  }

  /** @throws PluginError listing the known names, the most similar first. */
  find<Kind extends PluginKind>(kind: Kind, name: string): Plugin<Kind> {
    const known = this.list(kind);
    const plugin = known.find((candidate) => candidate.pluginName === name);
    if (plugin) return plugin;
    const names = known.map((candidate) => candidate.pluginName);
    const nearest = nearestName(name, names);
    throw new PluginError(`There is no ${kind} named '${shorten(name)}'.`, {
      actual: name,
      expected: names.length > 0 ? `one of ${names.join(', ')}` : `a registered ${kind}, and none is`,
      remedy: nearest ? `Did you mean '${nearest}'?` : 'Register it, or name the module that does under plugins.',
    });
  }

  /** An instance from a name and options, including nested plugins. @throws PluginError or OptionError. */
  build<Kind extends PluginKind>(kind: Kind, { name, ...options }: PluginSpec): PluginKinds[Kind] {
    const plugin = this.find(kind, name);
    const resolved = { ...options };
    for (const [option, nestedKind] of Object.entries(plugin.nested)) {
      const value = resolved[option];
      if (isSpec(value)) resolved[option] = this.build(nestedKind, value);
    }
    return plugin(resolved, this.#context);
  }
}

const isSpec = (value: unknown): value is PluginSpec =>
  typeof value === 'object' &&
  value !== null &&
  Object.getPrototypeOf(value) === Object.prototype &&
  typeof (value as PluginSpec).name === 'string' &&
  !Object.values(value).some((part) => typeof part === 'function');

/** The known name with the smallest edit distance, if that is at most a third of its length. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // Longer names are no typos, and the cost of the distance grows with the length.
  if (name.length > 100) return undefined;
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, best.candidate.length / 3) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/**
 * Loads third-party plugins into a container: modules are imported by specifier, and each must export plugins or inversify
 * ContainerModules. `load` imports them, so that the caller decides how specifiers are resolved.
 *
 * @throws PluginError for a module that cannot be imported or exports none.
 */
export async function loadPlugins(
  container: Container,
  specifiers: readonly string[],
  load: (specifier: string) => Promise<object>,
): Promise<void> {
  for (const specifier of specifiers) {
    let exported: unknown[];
    try {
      exported = Object.values(await load(specifier)).flat();
    } catch (cause) {
      throw new PluginError(
        `The plugin module '${oneLine(specifier)}' cannot be imported: ${(cause as Error).message}`,
        {
          actual: specifier,
          expected: 'a module that imports',
          cause,
        },
      );
    }
    const modules = exported.filter((value) => value instanceof ContainerModule);
    const plugins = exported.filter(isPlugin);
    if (modules.length + plugins.length === 0) {
      throw new PluginError(`The module '${oneLine(specifier)}' exports no plugin.`, {
        actual: specifier,
        expected: 'values made by definePath, defineSolver, … or an inversify ContainerModule',
      });
    }
    container.load(...modules, pluginModule([...new Set(plugins)]));
  }
}

/** A container with `plugins` bound; children made with `new Container({ parent })` inherit them. */
export function createContainer(plugins: readonly Plugin[] = [], parent?: Container): Container {
  const container = new Container(parent ? { parent } : {});
  container.load(pluginModule(plugins));
  return container;
}
