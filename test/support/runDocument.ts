import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The fenced blocks of one language in a document, in order. */
export async function blocksOf(document: string, language: string): Promise<string[]> {
  const text = await readFile(`${root}${document}`, 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code);
}

/** Runs a document's TypeScript blocks as one module, and gives its exports and what it logged. */
export async function runDocument(
  document: string,
): Promise<{ exports: Record<string, unknown>; logged: unknown[][] }> {
  const code = (await blocksOf(document, 'ts')).join('\n');
  // Inside the repository, so that package names resolve.
  const folder = await mkdtemp(`${root}node_modules/.document-`);
  const logged: unknown[][] = [];
  const { log } = console;
  try {
    await writeFile(`${folder}/document.mts`, code);
    console.log = (...values: unknown[]) => logged.push(values);
    const exports = (await import(pathToFileURL(`${folder}/document.mts`).href)) as Record<string, unknown>;
    return { exports, logged };
  } finally {
    console.log = log;
    await rm(folder, { recursive: true });
  }
}
