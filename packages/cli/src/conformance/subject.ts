import { isPlugin, nearestName, PluginError, PluginRegistry, type PluginSpec } from '@flow-matching/core';
import { OptionError, type Backend, oneLine } from '@flow-matching/tensor';
import type { Container } from 'inversify';
import { UsageError } from '../errors.ts';
import { importModule } from '../experiment/importModule.ts';
import type { Setting } from '../experiment/experimentSource.ts';

/** Makes the backend to check. */
export type MakeBackend = () => Backend | Promise<Backend>;

/** A backend registered in the container. @throws UsageError for an unknown name. */
export function namedBackend(root: Container, name: string, settings: readonly Setting[]): MakeBackend {
  const registry = new PluginRegistry(root);
  const known = registry.list('backend').map(({ pluginName }) => pluginName);
  if (!known.includes(name)) {
    const nearest = nearestName(name, known);
    throw new UsageError(`There is no backend named '${name}'.`, {
      actual: name,
      expected: `one of ${known.join(', ')}`,
      remedy: nearest ? `Did you mean '${nearest}'?` : 'Name the module of another one with --module.',
    });
  }
  const spec: PluginSpec = { ...optionsOf(settings), name };
  return () => refusingOptions(() => registry.build('backend', spec));
}

/** A backend made by the user's module. @throws UsageError if the module cannot be imported or makes no backend. */
export async function moduleBackend(specifier: string, settings: readonly Setting[]): Promise<MakeBackend> {
  const exported = await importOf(specifier);
  const make = exported['default'] ?? exported['backend'];
  if (typeof make !== 'function' || (isPlugin(make) && make.kind !== 'backend')) {
    throw new UsageError(`The module ${oneLine(specifier)} exports no backend.`, {
      actual: Object.keys(exported),
      expected: "a function that makes one, or what defineBackend gives, as its default export or as 'backend'",
    });
  }
  const options = optionsOf(settings);
  return () => refusingOptions(() => (make as (options: object) => Backend | Promise<Backend>)(options));
}

async function importOf(specifier: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importModule(specifier, process.cwd());
  } catch (cause) {
    const problem = cause instanceof PluginError ? cause.message : `it cannot be imported: ${(cause as Error).message}`;
    throw new UsageError(`--module ${oneLine(specifier)}: ${problem}`, { actual: specifier, cause });
  }
}

/** `--set backend.threads=1` as `{ threads: 1 }`. */
function optionsOf(settings: readonly Setting[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { path, value, label } of settings) {
    const [part, ...rest] = path.map(String);
    if (part !== 'backend' || rest.length === 0)
      throw new UsageError(`${label} is no option of the backend.`, {
        actual: path.join('.'),
        expected: 'backend.OPTION=VALUE, as in --set backend.threads=1',
      });
    put(options, rest, value);
  }
  return options;
}

function put(options: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    options[name] = value;
    return;
  }
  const inner = options[name];
  const record = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  options[name] = record;
  put(record, rest, value);
}

/** Turns errors about options into usage errors, because the user wrote the options. */
async function refusingOptions<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof OptionError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
