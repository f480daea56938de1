import type { Coupling } from '@flow-matching/core';
import { FlowMatchingError, HostRandomStream, type HostArray, type Shape } from '@flow-matching/tensor';
import type { ConformanceCase, CaseContext } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';

export interface CouplingCaseOptions {
  /** The label in ids. Default: the coupling's name. */
  readonly label?: string;
  /** Shape of one data point. Default [2]. */
  readonly shape?: Shape;
  /** Conditions of a batch of this size, each [size, …]. Default: none. */
  readonly condition?: (size: number) => Readonly<Record<string, HostArray>>;
}

interface Trial {
  readonly coupling: Coupling;
  readonly shape: Shape;
  readonly condition: ((size: number) => Readonly<Record<string, HostArray>>) | undefined;
}

/** The checks that every coupling must pass: level 4 with the ids `L4/<label>/…`. */
export function couplingCases(
  coupling: Coupling,
  { label = coupling.name, shape = [2], condition }: CouplingCaseOptions = {},
): readonly ConformanceCase[] {
  const each = (
    part: string,
    claimed: string,
    run: (context: CaseContext, trial: Trial) => Promise<void>,
  ): ConformanceCase => ({
    id: `L4/${label}/${part}`,
    level: 4,
    claim: claimed,
    run: (context) => run(context, { coupling, shape, condition }),
  });
  return [
    each('permutations', 'each source point is given to one data point, whatever the points are', checkPermutations),
    each('seeds', 'pairs depend on the points and the draws alone, and the points stay as they are', checkSeeds),
    each('not finite', 'points that are not finite are refused, or paired all the same', checkNotFinite),
  ];
}

interface Batch {
  readonly x0: HostArray;
  readonly x1: HostArray;
}

/** Pairs of a batch; those of a coupling that does not pair are the points as they are drawn. */
async function pairs({ coupling, condition }: Trial, { x0, x1 }: Batch, seed = 1): Promise<readonly number[]> {
  const size = x1.shape[0];
  const random = new HostRandomStream(seed);
  const order = await coupling.pair?.({ x0, x1, random, ...(condition && { condition: condition(size) }) });
  return order ? [...order] : Array.from({ length: size }, (_, i) => i);
}

const scaled = (array: HostArray, by: number): HostArray => ({
  ...array,
  data: Float32Array.from(array.data, (value) => value * by),
});

/** Batches of one point, of few, of points that coincide, and of sizes that are far from 1. */
function* batches({ random }: CaseContext, { shape }: Trial): Generator<readonly [what: string, batch: Batch]> {
  for (const size of [1, 2, 3, 17, 64]) {
    const x0 = random.normal([size, ...shape]);
    const x1 = random.normal([size, ...shape], 2);
    yield [`${size} points`, { x0, x1 }];
    yield [`${size} points that coincide`, { x0: scaled(x0, 0), x1: scaled(x1, 0) }];
    yield [`${size} points as large as 1e6`, { x0, x1: scaled(x1, 1e6) }];
    yield [`${size} points as small as 1e-6`, { x0: scaled(x0, 1e-6), x1: scaled(x1, 1e-6) }];
  }
}

async function checkPermutations(context: CaseContext, trial: Trial): Promise<void> {
  for (const [what, batch] of batches(context, trial)) {
    const order = await pairs(trial, batch);
    const size = batch.x1.shape[0];
    const sorted = order.toSorted((a, b) => a - b);
    claim(
      order.length === size && sorted.every((index, i) => index === i),
      `The pairs of ${what} are ${order.join()}.`,
      {
        actual: order,
        expected: `each of 0 to ${size - 1} once`,
      },
    );
  }
}

async function checkSeeds(context: CaseContext, trial: Trial): Promise<void> {
  for (const [what, batch] of batches(context, trial)) {
    const before = [batch.x0, batch.x1].map(({ data }) => [...data].join());
    const first = await pairs(trial, batch);
    // Other calls between two of one batch.
    await pairs(trial, { x0: batch.x1, x1: batch.x0 }, 2);
    const again = await pairs(trial, batch);
    claim(first.join() === again.join(), `The pairs of ${what} differ between two calls with one seed.`, {
      actual: again,
      expected: first.join(),
    });
    const after = [batch.x0, batch.x1].map(({ data }) => [...data].join());
    claim(before.join(';') === after.join(';'), `The coupling writes to its points, ${what}.`, {
      expected: 'points that it only reads',
    });
  }
}

async function checkNotFinite({ random }: CaseContext, trial: Trial): Promise<void> {
  const x0 = random.normal([5, ...trial.shape]);
  for (const value of [Number.NaN, Infinity, -Infinity]) {
    const x1 = random.normal([5, ...trial.shape]);
    x1.data[1] = value;
    let order: readonly number[];
    try {
      order = await pairs(trial, { x0, x1 });
    } catch (error) {
      claim(error instanceof FlowMatchingError, `A point of ${value} ends in ${String(error)}.`, {
        expected: 'an error of the framework, such as NumericalError',
      });
      continue;
    }
    claim(
      order.toSorted((a, b) => a - b).join() === '0,1,2,3,4',
      `With a point of ${value} the pairs are ${order.join()}.`,
      {
        actual: order,
        expected: 'each of 0 to 4 once, or an error',
      },
    );
  }
}
