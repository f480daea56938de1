import { oneLine } from '@flow-matching/tensor';
import type { Dataset } from '@flow-matching/core';
import { RunError } from '../errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { differenceOf } from '../experiment/experimentHash.ts';
import { heldOutBatch } from '../run/drawSamples.ts';

/** A run and the data it was trained on. */
export interface DataOfRun {
  readonly path: string;
  readonly experiment: Experiment;
  readonly data: Dataset;
}

/** Number of points compared to distinguish datasets. */
const probed = 64;

/**
 * Checks that runs use the same data. It compares points, because one file may be named in two ways.
 *
 * @throws RunError that names the first difference.
 */
export async function checkSameData([first, ...others]: readonly DataOfRun[], seed: number): Promise<void> {
  const expected = await pointsOf(first.data, seed);
  for (const other of others) {
    if ((await pointsOf(other.data, seed)) === expected) continue;
    const difference = differenceOf({ data: first.experiment.data }, { data: other.experiment.data });
    const [there, here] =
      difference?.values.map((value) => (value === undefined ? 'absent' : JSON.stringify(value))) ?? [];
    throw new RunError(
      difference
        ? `${oneLine(first.path)} and ${oneLine(other.path)} are runs of different data: ${difference.key} is ${there} in the first and ${here} in the second.`
        : `${oneLine(first.path)} and ${oneLine(other.path)} are runs of different data: '${first.data.name}' holds other points for each.`,
      { actual: difference, expected: 'runs of the same data', remedy: 'Compare the runs of each dataset separately.' },
    );
  }
}

async function pointsOf(data: Dataset, seed: number): Promise<string> {
  const { x1 } = await heldOutBatch(data, Math.min(probed, data.size ?? probed), seed);
  return `${x1.shape.join()}:${x1.data.join()}`;
}
