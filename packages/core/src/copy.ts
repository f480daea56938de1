import { PluginError } from './errors.ts';

/** The version of this package. */
export const version = '0.1.0';

/** The mark of objects made by this copy of the module. Another copy has a different one under the same key. */
const own = { version };
const key = Symbol.for('@flow-matching/core/copy');

/** Marks an object as made by this copy of the package. */
export const stampCopy = <Value extends object>(value: Value): Value =>
  Object.defineProperty(value, key, { value: own });

/**
 * Throws for an object of another copy of this package. Copies do not recognize each other's tensors, and mixing them fails far
 * from the cause.
 *
 * @param what is named in the message: `The plugin 'ralston'`
 * @param marked whether all such objects of this copy have its mark, so that one without it belongs to another copy
 * @throws PluginError with both versions.
 */
export function checkCopy(what: string, value: unknown, marked = false): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  const mark = (value as { [key]?: typeof own })[key];
  if (mark === own || (mark === undefined && !marked)) return;
  throw new PluginError(
    `${what} comes from another copy of @flow-matching/core: there are two of them, version ${version} here and ${mark ? `version ${mark.version}` : 'one without a mark of its version'} there.`,
    {
      actual: mark?.version,
      expected: 'one copy of @flow-matching/core, which all packages share',
      remedy:
        'List @flow-matching/core under peerDependencies of the plugin instead of its dependencies, then run npm dedupe; npm ls @flow-matching/core shows who brings which.',
    },
  );
}
