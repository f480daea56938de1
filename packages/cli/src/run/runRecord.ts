import { oneLine } from '@flow-matching/tensor';
import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';
import type { RunOptions } from '../commands/runOptions.ts';
import type { FileRecord } from '../container/recordingFiles.ts';
import { RunError } from '../errors.ts';
import { leaves } from '../experiment/experimentHash.ts';
import { readExperiment } from '../experiment/experimentSource.ts';
import type { Output } from '../terminal/output.ts';
import type { RunDirectory } from './runDirectory.ts';

type Document = Readonly<Record<string, unknown>> & { readonly environment?: Readonly<Record<string, unknown>> };

/** The key of experiment.yaml with the hash of everything else in it. */
const recordKey = 'record';

/** The text of a run's experiment.yaml, with a hash of its content that reveals later edits. */
export function recordedText(document: Document): string {
  const content = parse(stringify(document)) as Document;
  return stringify({ ...document, environment: { ...document.environment, [recordKey]: contentHash(content) } });
}

/** A hash of values, not of text: changes of comments and key order are not edits. */
function contentHash({ environment = {}, ...experiment }: Document): string {
  const { [recordKey]: _, ...rest } = environment;
  const content = Object.fromEntries(leaves({ ...experiment, environment: rest }));
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

interface CheckRequest {
  readonly output: Output;
  readonly force: RunOptions['force'];
}

/**
 * Checks that experiment.yaml is as the training wrote it. Runs from before the hash was recorded are accepted.
 *
 * @throws RunError if it was edited, unless `force`.
 */
export async function checkExperimentRecord(run: RunDirectory, { output, force }: CheckRequest): Promise<void> {
  const written = (await readExperiment(run.experimentFile)).value as Document;
  const recorded = written.environment?.[recordKey];
  if (typeof recorded !== 'string') return;
  const actual = contentHash(written);
  if (actual === recorded) return;
  refuse(`${oneLine(run.experimentFile)} was edited after the training had written it.`, {
    output,
    force,
    actual,
    expected: `content with the hash ${recorded}`,
    remedy: 'Undo the edit, or add --force to use the run as the file now describes it.',
  });
}

/**
 * Checks that data files are those that the training read.
 *
 * @param recorded records by path in the experiment; absent in runs from before they were recorded.
 * @param read records of the files read now.
 * @throws RunError if the content of a file differs, unless `force`.
 */
export function checkFileRecords(
  run: RunDirectory,
  recorded: Readonly<Record<string, FileRecord>> | undefined,
  read: ReadonlyMap<string, FileRecord>,
  { output, force }: CheckRequest,
): void {
  for (const [path, there] of Object.entries(recorded ?? {})) {
    const here = read.get(path);
    if (!here || here.sha256 === there.sha256) continue;
    const sizes =
      here.bytes === there.bytes
        ? `of the same size, ${here.bytes} bytes, but of other content`
        : `${here.bytes} bytes now and ${there.bytes} bytes then`;
    refuse(`The data file ${oneLine(path)} is not the one that ${oneLine(run.path)} was trained on: ${sizes}.`, {
      output,
      force,
      actual: here,
      expected: `content with the SHA-256 ${there.sha256}`,
      remedy: 'Restore the file, or add --force to use this one.',
    });
  }
}

function refuse(
  problem: string,
  { output, force, ...details }: CheckRequest & { actual: unknown; expected: string; remedy: string },
): void {
  if (!force) throw new RunError(problem, details);
  output.warn(`Warning: ${problem} It is used anyway because of --force.`);
}
