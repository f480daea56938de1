import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
} from 'yaml';
import { fileError, systemCode } from '../disk/fileError.ts';
import { ExperimentError, UsageError } from '../errors.ts';
import { typeScriptRemedy } from './importModule.ts';

export type Path = readonly (string | number)[];

/** A value that the command line puts into an experiment, and how the user wrote it. */
export interface Setting {
  readonly path: Path;
  readonly value: unknown;
  readonly label: string;
}

/** An experiment as it is written, before any check: the value, and where each part of it stands. */
export interface ExperimentSource {
  /** As the user named it. */
  readonly file: string;
  /** Absolute folder that file names and module specifiers in the experiment are relative to. */
  readonly directory: string;
  /** The name of the file without its ending. */
  readonly title: string;
  readonly value: unknown;
  /** `file:line:column` of the value at a path or of the key that leads to it, or the option of the command line that set it. */
  locate(path: Path, at?: 'key' | 'value'): string;
  /** Whether the command line set the value at a path, or a value within it. */
  isSet(path: Path): boolean;
}

const moduleEndings = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']);

/** @throws FileError or ExperimentError where the file cannot be read or parsed, UsageError where a setting does not fit it. */
export async function readExperiment(file: string, settings: readonly Setting[] = []): Promise<ExperimentSource> {
  const isModule = moduleEndings.has(extname(file));
  const lines = new LineCounter();
  const document = isModule
    ? new Document(await importExperiment(file))
    : parseDocument(await readText(file), { lineCounter: lines, merge: true, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken)
    throw new ExperimentError(`${place(broken.pos[0])}: ${sentence(broken.message)}`, {
      actual: file,
      expected: 'YAML or JSON',
      cause: broken,
    });
  if (document.contents === null)
    throw new ExperimentError(`${file} is empty.`, {
      actual: file,
      expected: 'an experiment, which names its data at least',
    });
  if (!isMap(document.contents))
    throw new ExperimentError(`${file} holds no keys.`, {
      actual: document.toJS(),
      expected: 'an experiment: name, data, path, model, …',
    });
  const original = document.clone();
  for (const setting of settings) applySetting(document, setting);
  return {
    file,
    directory: dirname(resolve(file)),
    title: basename(file, extname(file)),
    value: document.toJS(),
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
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw systemCode(cause) === 'ENOENT'
      ? new UsageError(`There is no experiment file ${file}.`, {
          actual: file,
          expected: 'a YAML, JSON or module file',
          cause,
        })
      : fileError('read', file, cause);
  }
}

async function importExperiment(file: string): Promise<unknown> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (cause) {
    const untyped = systemCode(cause) === 'ERR_UNKNOWN_FILE_EXTENSION';
    throw new ExperimentError(
      `${file} cannot be imported: ${untyped ? `Node ${process.versions.node} does not load TypeScript` : (cause as Error).message}.`,
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
    throw new ExperimentError(`The default export of ${file} is not plain data.`, {
      actual: file,
      expected: 'records, lists, texts and numbers',
      cause,
    });
  }
}

/** Puts a value where the setting says; a part that is given by its name alone becomes a record on the way. */
function applySetting(document: Document, { path, value, label }: Setting): void {
  for (let depth = 1; depth < path.length; depth++) {
    const at = path.slice(0, depth);
    const node = document.getIn(at, true);
    if (isScalar(node)) {
      if (typeof node.value === 'string' || node.value === null)
        document.setIn(at, document.createNode(node.value === null ? {} : { name: node.value }));
      else
        throw new ExperimentError(`${label}: ${at.join('.')} is ${JSON.stringify(node.value)}, which has no parts.`, {
          actual: path.join('.'),
          expected: 'the path of a setting',
        });
    } else if (node !== undefined && !isCollection(node)) {
      throw new ExperimentError(`${label}: ${at.join('.')} cannot be changed here.`, {
        actual: path.join('.'),
        remedy: 'Write the value out in the file instead of an alias.',
      });
    }
  }
  document.setIn(path, document.createNode(value));
}

/** Where a path stands in the text; the nearest part above it where it is missing. */
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

const sentence = (text: string): string => `${text.replace(/\s+/g, ' ').replace(/[.:]?$/, '')}.`;
