import { oneLine } from '@flow-matching/tensor';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, LineCounter, type Document, type Node } from 'yaml';
import { fileError, systemCode } from '../disk/fileError.ts';
import { ExperimentError, UsageError } from '../errors.ts';
import { typeScriptRemedy } from './importModule.ts';
import { parsePlainYaml, type RefuseAt } from './plainYaml.ts';
import { showValue } from './showValue.ts';

export type Path = readonly (string | number)[];

/** A value of an experiment set on the command line, with the user's spelling. */
export interface Setting {
  readonly path: Path;
  readonly value: unknown;
  readonly label: string;
}

/** An experiment as written, before any check: the value, and the location of each part. */
export interface ExperimentSource {
  /** As the user named it. */
  readonly file: string;
  /** Absolute path of the folder to which file names and module specifiers in the experiment are relative. */
  readonly directory: string;
  /** The name of the file without its extension, with control characters replaced by dashes. */
  readonly title: string;
  readonly value: unknown;
  /** `file:line:column` of the value at a path or of the key that leads to it, or the option of the command line that set it. */
  locate(path: Path, at?: 'key' | 'value'): string;
  /** Whether the command line set the value at a path, or a value within it. */
  isSet(path: Path): boolean;
}

const moduleEndings = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']);

/** Maximum size of an experiment file in bytes. A larger file is something else, and parsing it would take minutes. */
const longestFile = 2 ** 20;

/** @throws FileError or ExperimentError if the file cannot be read or parsed; UsageError if a setting does not fit it. */
export async function readExperiment(file: string, settings: readonly Setting[] = []): Promise<ExperimentSource> {
  const isModule = moduleEndings.has(extname(file));
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${oneLine(file)}:${line}:${col}`;
  };
  const refuse: RefuseAt = (offset, problem, expected) => {
    throw new ExperimentError(`${isModule ? file : place(offset)}: ${problem}.`, { actual: file, expected });
  };
  // A module's value gets the same checks, as JSON.
  const text = isModule ? JSON.stringify(await importExperiment(file)) : await readText(file);
  const document = parsePlainYaml(text, refuse, lines);
  if (document.contents === null)
    throw new ExperimentError(`${oneLine(file)} is empty.`, {
      actual: file,
      expected: 'an experiment that names at least its data',
    });
  if (!isMap(document.contents))
    throw new ExperimentError(`${oneLine(file)} holds no keys.`, {
      actual: document.toJS(),
      expected: 'an experiment: name, data, path, model, …',
    });
  const original = document.clone();
  for (const setting of settings) applySetting(document, setting);
  return {
    file,
    directory: dirname(resolve(file)),
    title: basename(file, extname(file)).replaceAll(/\p{Cc}/gu, '-'),
    // The check has counted expanded aliases.
    value: document.toJS({ maxAliasCount: -1 }),
    locate(path, at = 'value') {
      const setting =
        settings.findLast(({ path: set }) => beginsWith(path, set)) ??
        (original.hasIn(path) ? undefined : settings.find(({ path: set }) => beginsWith(set, path)));
      if (setting) return setting.label;
      const offset = offsetOf(document, path, at);
      return offset === undefined || isModule ? file : place(offset);
    },
    isSet: (path) => settings.some(({ path: set }) => beginsWith(path, set) || beginsWith(set, path)),
  };
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(file);
    bytes = size > longestFile ? new Uint8Array(0) : await readFile(file);
    if (Math.max(size, bytes.length) > longestFile) {
      throw new ExperimentError(`${oneLine(file)} has ${Math.max(size, bytes.length)} bytes.`, {
        actual: size,
        expected: `an experiment file of at most ${longestFile} bytes`,
      });
    }
  } catch (cause) {
    if (cause instanceof ExperimentError) throw cause;
    throw systemCode(cause) === 'ENOENT'
      ? new UsageError(`There is no experiment file ${oneLine(file)}.`, {
          actual: file,
          expected: 'a YAML, JSON or module file',
          cause,
        })
      : fileError('read', file, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ExperimentError(`${oneLine(file)} is not UTF-8 text.`, {
      actual: file,
      expected: 'YAML or JSON in UTF-8',
      cause,
    });
  }
}

async function importExperiment(file: string): Promise<unknown> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (cause) {
    const untyped = systemCode(cause) === 'ERR_UNKNOWN_FILE_EXTENSION';
    throw new ExperimentError(
      `${oneLine(file)} cannot be imported: ${untyped ? `Node ${process.versions.node} does not load TypeScript` : (cause as Error).message}.`,
      {
        actual: file,
        expected: 'a module that exports an experiment by default',
        ...(untyped && {
          remedy: typeScriptRemedy,
        }),
        cause,
      },
    );
  }
  try {
    return JSON.parse(JSON.stringify(loaded.default ?? null));
  } catch (cause) {
    throw new ExperimentError(`The default export of ${oneLine(file)} is not plain data.`, {
      actual: file,
      expected: 'records, lists, strings and numbers',
      cause,
    });
  }
}

/**
 * Sets a value at the path of the setting; a part given by name only becomes a record.
 *
 * @throws ExperimentError if the path does not exist.
 */
function applySetting(document: Document, { path, value, label }: Setting): void {
  const refuse = (problem: string, details: { expected?: string; remedy?: string }): never => {
    throw new ExperimentError(`${label}: ${problem}.`, { actual: path.join('.'), ...details });
  };
  for (let depth = 1; depth <= path.length; depth++) {
    const at = path.slice(0, depth);
    const holder = document.getIn(path.slice(0, depth - 1), true);
    if (isSeq(holder) && !isIndex(path[depth - 1], holder.items.length)) {
      refuse(`${path.slice(0, depth - 1).join('.')} is a list and has no place '${path[depth - 1]}'`, {
        expected: `a number from 0 to ${holder.items.length}`,
      });
    }
    if (depth === path.length) break;
    const node = document.getIn(at, true);
    if (isScalar(node)) {
      if (typeof node.value === 'string' || node.value === null)
        document.setIn(at, document.createNode(node.value === null ? {} : { name: node.value }));
      else
        refuse(`${at.join('.')} is ${showValue(node.value)}, which has no parts`, {
          expected: 'the path of a setting',
        });
    } else if (node !== undefined && !isCollection(node)) {
      refuse(`${at.join('.')} cannot be changed here`, {
        remedy: 'Write the value out in the file instead of an alias.',
      });
    }
  }
  document.setIn(path, document.createNode(value));
}

/** Whether a step of a setting's path names an entry of a list, or the place after its last. */
const isIndex = (step: string | number, length: number): boolean =>
  /^\d+$/.test(String(step)) && Number(step) <= length;

/** The offset of a path in the text; if it is missing, that of its nearest ancestor. */
function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : undefined) === String(step));
      if (!isPair(pair)) return offset;
      const wanted = depth === path.length - 1 && at === 'key' ? pair.key : (pair.value ?? pair.key);
      offset = (wanted as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

const beginsWith = (path: Path, start: Path): boolean => start.every((step, i) => step === path[i]);
