// npm run mutation [-- PART…]: plants the faults of edits.ts one by one, in a copy of the working tree, and tells which no test notices. Words
// choose the edits whose file or text contains one of them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyRepository } from './copyRepository.ts';
import { edits, type Edit } from './edits.ts';
import { plant } from './plant.ts';
import { runTests, type Outcome } from './runTests.ts';

/** Milliseconds that the tests of one file may take; without an edit they take less than half a minute. */
const limit = 120_000;
/** Share of the edits that may survive. */
const tolerated = 0.05;

const root = fileURLToPath(new URL('../../', import.meta.url));
const words = process.argv.slice(2);
const chosen = edits.filter(
  (edit) => words.length === 0 || words.some((word) => `${edit.file} ${edit.text}`.includes(word)),
);

/** What became of an edit. Tests that fail without it say nothing about it, and a text that is gone cannot be replaced. */
type Verdict = 'killed' | 'survived' | 'stale' | 'tests fail without it';

const copy = copyRepository(root);
const removeCopy = (): void => rmSync(copy, { recursive: true, force: true });
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    removeCopy();
    process.exit(status);
  });
try {
  const without = new Map<string, Outcome>();
  const verdictOf = async (edit: Edit): Promise<Verdict> => {
    const path = join(copy, edit.file);
    const source = readFileSync(path, 'utf8');
    const planted = plant(source, edit);
    if (planted === undefined) return 'stale';
    for (const test of edit.tests) if (!without.has(test)) without.set(test, await runTests(copy, [test], limit));
    if (edit.tests.some((test) => without.get(test) !== 'passed')) return 'tests fail without it';
    try {
      writeFileSync(path, planted);
      return (await runTests(copy, edit.tests, limit)) === 'passed' ? 'survived' : 'killed';
    } finally {
      writeFileSync(path, source);
    }
  };
  const counts: Record<Verdict, number> = { killed: 0, survived: 0, stale: 0, 'tests fail without it': 0 };
  let excused = 0;
  for (const edit of chosen) {
    const verdict = await verdictOf(edit);
    counts[verdict]++;
    const shown = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');
    console.log(`${verdict.padEnd(9)} ${edit.file}: ${shown(edit.text)} → ${shown(edit.replacement) || 'nothing'}`);
    if (verdict === 'survived' && edit.survives !== undefined) {
      excused++;
      console.log(`          ${edit.survives}`);
    }
  }
  const { killed, survived } = counts;
  const unusable = counts.stale + counts['tests fail without it'];
  console.log(`${excused} of ${survived} survivors have a reason; ${counts.stale} texts are gone.`);
  console.log(`${killed} killed, ${survived} survived, ${unusable} unusable`);
  process.exitCode = unusable > 0 || survived > tolerated * chosen.length ? 1 : 0;
} finally {
  removeCopy();
}
