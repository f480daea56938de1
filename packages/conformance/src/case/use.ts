import { toStorage, type DType, type HostArray } from '@flow-matching/tensor';
import { inputsAt, referenceOf, resultsOf, type Formula } from './agreement.ts';
import type { CaseContext, ConformanceCase } from './conformanceCase.ts';
import { claim } from './conformanceError.ts';
import { Draw } from './draw.ts';
import type { Level } from './level.ts';
import { exact, type Limit } from './limit.ts';
import { compareArrays } from './measurement.ts';

/** A limit that depends on the expected value and its operands. */
export type LimitOf = (expected: HostArray, operands: readonly HostArray[], output: number) => Limit;

/** One use of an operator: its operands and the formula. */
export interface Use {
  /** Name within its row. */
  readonly what: string;
  readonly operands: (draw: Draw) => readonly HostArray[];
  readonly formula: Formula;
  /** Default exact. */
  readonly limit?: Limit | LimitOf | undefined;
  /** The elements of the single result to check, if the reference would take too long for all. Default: all. */
  readonly part?: (operands: readonly HostArray[]) => Part;
}

/** A few elements of a large result, computed as the whole result of a small use. */
export interface Part {
  /** Flat indices into the large result. */
  readonly positions: ArrayLike<number>;
  /** Operands of the small use, whose i-th element equals that of the large one at the i-th position. */
  readonly operands: readonly HostArray[];
  /** Default: that of the large use. */
  readonly formula?: Formula;
}

/** Uses checked together in one graph. */
export interface Row {
  readonly what: string;
  readonly uses: readonly Use[];
}

/** A row of a single use. */
export const rowOf = (use: Use): Row => ({ what: use.what, uses: [use] });

/** The case that the backend agrees with the reference on a row: `L1/Add/f32/a row`. */
export function rowCase(level: Level, subject: string, dtype: DType, { what, uses }: Row): ConformanceCase {
  return {
    id: `L${level}/${subject}/${dtype}/${what}`,
    level,
    dtype,
    claim: `${subject} of ${dtype}, ${what}, is what the f64 reference has`,
    run: (context) => measureUses(context, uses, dtype),
  };
}

/** An array rounded to its dtype: arithmetic on the Float32Array of f16 values gives unrounded numbers. */
const held = (array: HostArray): HostArray =>
  array.dtype === 'f16' ? { ...array, data: toStorage(array.data, 'f16') } : array;

/** Runs uses in one graph, so that they need one compilation, and measures each by its name. */
export async function measureUses(context: CaseContext, uses: readonly Use[], dtype: DType): Promise<void> {
  const draw = new Draw(context.random, dtype);
  const drawn = uses.map((use) => ({ ...use, operands: use.operands(draw).map(held) }));
  const parts = drawn.map(({ part, operands }) => part?.(operands));
  const expected = drawn.map(({ formula, operands }, i) =>
    referenceOf(parts[i]?.formula ?? formula, parts[i]?.operands ?? operands),
  );
  const actual = await resultsOf(
    context,
    (...inputs) => {
      let next = 0;
      return drawn.flatMap(({ formula, operands }) => formula(...inputs.slice(next, (next += operands.length))));
    },
    drawn.flatMap(({ operands }) => operands),
  );
  const results = actual.values();
  drawn.forEach(({ what, operands: whole, limit = exact }, i) => {
    const { operands = whole, positions } = parts[i] ?? {};
    expected[i].forEach((wanted, output) => {
      const { value: result } = results.next();
      claim(result !== undefined, `${what} has no output ${output}.`);
      const own = typeof limit === 'function' ? limit(wanted, operands, output) : limit;
      const name = expected[i].length > 1 ? `${what}, output ${output}` : what;
      const actual = positions ? elementsAt(result, positions, wanted.shape) : result;
      context.measure(compareArrays(name, actual, wanted, own, (index) => inputsAt(operands, wanted, index)));
    });
  });
}

/** The elements at flat indices, in an array of `shape`. Missing ones are NaN, as in typed arrays. */
const elementsAt = (
  { data, dtype }: HostArray,
  positions: ArrayLike<number>,
  shape: HostArray['shape'],
): HostArray => ({
  data: toStorage(
    Array.from(positions, (position) => data[position] ?? Number.NaN),
    dtype,
  ),
  shape,
  dtype,
});
