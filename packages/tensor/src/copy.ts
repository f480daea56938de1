import { CopyError } from './errors.ts';

/** The version of this package. */
export const version = '0.1.0';

/** Marks the objects of one copy of a package, and recognises those of another. */
export interface PackageCopy {
  /** Marks an object as made by this copy. */
  stamp<Value extends object>(value: Value): Value;
  /**
   * Throws for an object of another copy. Copies do not recognize each other's objects, and mixing them fails far from the
   * cause.
   *
   * @param what is named in the message: `The plugin 'ralston'`
   * @param marked whether all such objects of this copy have its mark, so that one without it belongs to another copy
   * @throws CopyError with both versions.
   */
  check(what: string, value: unknown, marked?: boolean): void;
}

/**
 * Identifies this copy of a package. Each evaluation of the calling module makes a new identity.
 *
 * @param name of the package: `@flow-matching/core`
 */
export function packageCopy(name: string, version: string): PackageCopy {
  const own = { version };
  const key = Symbol.for(`${name}/copy`);
  return {
    stamp: (value) => Object.defineProperty(value, key, { value: own }),
    check(what, value, marked = false) {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
      const mark = (value as { [key]?: typeof own })[key];
      if (mark === own || (mark === undefined && !marked)) return;
      throw new CopyError(
        `${what} comes from another copy of ${name}: there are two of them, version ${version} here and ${mark ? `version ${mark.version}` : 'one without a mark of its version'} there.`,
        {
          actual: mark?.version,
          expected: `one copy of ${name}, which all packages share`,
          remedy: `List ${name} under peerDependencies of the plugin instead of its dependencies, then run npm dedupe; npm ls ${name} shows who brings which.`,
        },
      );
    },
  };
}

/** This copy of this package. */
export const thisCopy = packageCopy('@flow-matching/tensor', version);
