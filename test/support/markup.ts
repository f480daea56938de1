import { expect } from 'chai';

/** Text that is markup wherever it is not escaped: in an element, and in an attribute between either kind of quotes. */
const hostile = (name: string): string => `"'><b id=${name}>&amp; ${name}`;

/** A plain text in its place. */
const harmless = (name: string): string => `text ${name}`;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** Tags with the names of their attributes, in order: what text must not change. */
export const structureOf = (markup: string): string[] =>
  Array.from(markup.matchAll(/<(\/?[a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/g), ([, tag, attributes]) =>
    [tag, ...Array.from(attributes.matchAll(/([\w:-]+)(?:="[^"]*")?/g), ([, name]) => name)].join(' '),
  );

/**
 * Renders once with harmless and once with hostile texts, and expects the same tags and attributes, and every hostile text as text.
 *
 * @param names one for each text.
 */
export function expectEscaped(names: readonly string[], render: (text: (name: string) => string) => string): void {
  const [plain, markup] = [render(harmless), render(hostile)];
  for (const name of names) {
    expect(plain, `the text ${name} is shown`).to.include(harmless(name));
    expect(markup, `the text ${name} is escaped`).to.include(escaped(hostile(name)));
    expect(markup, `the text ${name} is nowhere markup`).not.to.include(`<b id=${name}>`);
  }
  expect(structureOf(markup)).to.deep.equal(structureOf(plain));
}
