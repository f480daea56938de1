import { isReservedKey } from '@flow-matching/core';
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type LineCounter, type Node } from 'yaml';

/** Maximum nesting of collections; experiments need five levels. */
const deepest = 64;
/** Maximum number of values after expanding aliases. */
const most = 100_000;

/** @throws the caller's error for a problem at an offset of the text. */
export type RefuseAt = (offset: number, problem: string, expected: string) => never;

/**
 * Parses YAML or JSON to a document whose value is plain data: records with string keys, lists, strings, numbers, booleans and
 * null, of bounded depth and size, with aliases and merge keys resolved.
 */
export function parsePlainYaml(text: string, refuse: RefuseAt, lineCounter?: LineCounter): Document {
  const document = parseDocument(text, {
    merge: true,
    prettyErrors: false,
    logLevel: 'error',
    ...(lineCounter && { lineCounter }),
  });
  const [broken] = document.errors;
  if (broken) {
    if (/call stack/.test(broken.message)) refuseDepth(broken.pos[0], refuse);
    const [sentence] = broken.message.split('\n');
    refuse(broken.pos[0], sentence.replace(/\s+/g, ' ').replace(/[.:]?$/, ''), 'YAML or JSON');
  }
  new PlainCheck(document, refuse).node(document.contents, 0);
  return document;
}

const refuseDepth = (offset: number, refuse: RefuseAt): never =>
  refuse(offset, 'Values are nested too deeply', `at most ${deepest} levels`);

/** Walks a document in the way its value will be built, and refuses anything without a plain value. */
class PlainCheck {
  readonly #document: Document;
  readonly #refuse: RefuseAt;
  /** The collections that enclose the current position: an alias to one of them would be infinite. */
  readonly #open = new Set<unknown>();
  #count = 0;

  constructor(document: Document, refuse: RefuseAt) {
    this.#document = document;
    this.#refuse = refuse;
  }

  node(node: unknown, offset: number): void {
    const at = (node as Node | null)?.range?.[0] ?? offset;
    if (++this.#count > most)
      this.#refuse(at, `Aliases stand for more than ${most} values`, 'fewer aliases of aliases');
    if (isAlias(node)) {
      const target = this.#resolve(node, at);
      if (this.#open.has(target)) this.#refuse(at, 'The value contains itself', 'data without circles');
      this.node(target, at);
    } else if (isMap(node) || isSeq(node)) {
      if (this.#open.size >= deepest) refuseDepth(at, this.#refuse);
      this.#open.add(node);
      if (isMap(node)) for (const { key, value } of node.items) this.#pair(key, value, at);
      else for (const item of node.items) this.node(item, at);
      this.#open.delete(node);
    } else if (isScalar(node) && typeof node.value === 'object' && node.value !== null) {
      this.#refuse(
        at,
        `A value of type ${node.tag ?? 'object'} has no place in an experiment`,
        'texts, numbers and booleans',
      );
    }
  }

  #pair(key: unknown, value: unknown, offset: number): void {
    const at = (key as Node | null)?.range?.[0] ?? offset;
    if (!isScalar(key) || typeof key.value === 'object') this.#refuse(at, 'A key is not a text', 'keys that are texts');
    const { value: written } = key as { value: unknown };
    // The library represents the merge key as a symbol.
    const name = (typeof written === 'symbol' ? written.description : undefined) ?? String(written);
    if (isReservedKey(name)) this.#refuse(at, `'${name}' cannot be a key`, 'another name');
    if (name === '<<') {
      const merged = isAlias(value) ? this.#resolve(value, at) : value;
      const sources = isSeq(merged) ? merged.items : [merged];
      const wrong = sources.find((source) => !isMap(isAlias(source) ? this.#resolve(source, at) : source));
      if (wrong !== undefined || sources.length === 0 || merged === null)
        this.#refuse(at, `The merge key '<<' is given no record`, 'an alias of a record, or a list of them');
    }
    this.node(value, at);
  }

  #resolve(alias: { source: string; resolve(document: Document): unknown }, at: number): unknown {
    return (
      alias.resolve(this.#document) ??
      this.#refuse(at, `There is no anchor '&${alias.source}' before the alias '*${alias.source}'`, 'an anchor')
    );
  }
}
