import { defineDataset, FILES, type Dataset, type PluginContext } from '@flow-matching/core';
import {
  checkHostArray,
  DataError,
  formatShape,
  hostArray,
  largestCount,
  oneLine,
  OptionError,
  sizeOf,
  streams,
  type HostArray,
  type Shape,
  type TypedArray,
} from '@flow-matching/tensor';
import * as z from 'zod';
import { permutation } from './permutation.ts';
import type { CsvOptions } from './readCsv.ts';
import { scaleWarnings } from './scaleWarnings.ts';

/** Points in memory: rows of numbers, or an array whose first axis counts points. */
export type PointData = HostArray | readonly (readonly number[])[];

const isPointData = (value: unknown): value is PointData =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && 'data' in value && 'shape' in value);

const options = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Path of a .npy or .csv file with one point per row, relative to the experiment file'),
    data: z
      .custom<PointData>(isPointData, 'rows of numbers or a host array were expected')
      .exactOptional()
      .describe('Points written out, one list of numbers per point'),
    heldOut: z
      .float32()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Fraction of the points kept out of training; metrics are measured on them'),
    splitSeed: z
      .int()
      .min(0)
      .default(0)
      .describe('Seed that chooses which points are held out, independent of the training seed'),
    header: z
      .boolean()
      .exactOptional()
      .describe('Whether the first row of a .csv file names its columns; detected by default'),
    delimiter: z
      .string()
      .regex(/^[^"\r\n\uFEFF]+$/, 'expected a separator that is no quote and no line end')
      .exactOptional()
      .describe('Separator of the fields of a .csv file; detected by default'),
    columns: z
      .array(z.union([z.string().min(1), z.int().positive().max(largestCount)]))
      .min(1)
      .exactOptional()
      .describe('Columns of a .csv file to use as coordinates, by name or by number from 1; all by default'),
  })
  .refine(({ file, data }) => (file === undefined) !== (data === undefined), 'either file or data must be given')
  .refine(({ data, columns }) => data === undefined || columns === undefined, 'columns are chosen from a file only');

/**
 * A finite set of points from a file or from memory, unscaled. Training passes over all of them in an order that is shuffled in
 * each epoch. `warnings` name likely problems for training: scales, constant columns, rounding.
 *
 * @throws DataError naming the file and the place of a value that cannot be read or is not finite; PluginError if a file is
 *   given and there is no service to read files.
 */
export const points = defineDataset({
  name: 'points',
  summary: 'Points from a .npy or .csv file, or from memory',
  options,
  create: ({ file, data, heldOut, splitSeed, ...reading }, context): Dataset | Promise<Dataset> => {
    const split = (loaded: LoadedPoints): Dataset => splitDataset(loaded, heldOut, splitSeed);
    return file === undefined ? split(fromMemory(data as PointData)) : fromFile(file, reading, context).then(split);
  },
});

/** Finite f32 values, [count, ...shape]. */
interface LoadedPoints {
  readonly source: string;
  readonly values: Float32Array;
  readonly count: number;
  readonly shape: Shape;
  readonly warnings?: readonly string[];
}

async function fromFile(path: string, options: CsvOptions, context: PluginContext): Promise<LoadedPoints> {
  const file = oneLine(path);
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase();
  if (extension !== '.npy' && extension !== '.csv') {
    throw new DataError(`${file} is of no known format.`, { actual: extension, expected: 'a .npy or .csv file' });
  }
  const bytes = await context.get(FILES).read(path);
  // Readers are loaded on demand: few pages read a file.
  if (extension === '.csv') {
    const { readCsv } = await import('./readCsv.ts');
    const { values, columns } = await readCsv(file, bytes, options);
    return { source: file, values, count: values.length / columns, shape: [columns] };
  }
  const { readNpy } = await import('./readNpy.ts');
  const { rounded, ...array } = readNpy(file, bytes);
  const loaded = chooseColumns(fromArray(file, array), options.columns);
  if (!rounded) return loaded;
  const text = `${file}: ${rounded.count} of ${array.data.length} integers are not exact in float32, ${rounded.first} among them.`;
  return { ...loaded, warnings: [text] };
}

/** Selects the requested columns of points with one axis. */
function chooseColumns(loaded: LoadedPoints, columns: CsvOptions['columns']): LoadedPoints {
  if (columns === undefined) return loaded;
  const { source, values, count, shape } = loaded;
  const wrong = columns.find((column) => shape.length !== 1 || typeof column === 'string' || column > shape[0]);
  if (wrong !== undefined) {
    throw new DataError(`${source} has no column ${typeof wrong === 'string' ? `'${wrong}'` : wrong}.`, {
      actual: wrong,
      expected: shape.length === 1 ? `a number from 1 to ${shape[0]}` : 'an array with two axes to choose columns of',
    });
  }
  const from = columns.map((column) => Number(column) - 1);
  const chosen = new Float32Array(count * from.length);
  for (let row = 0, to = 0; row < count; row++)
    for (const column of from) chosen[to++] = values[row * shape[0] + column];
  return { ...loaded, values: chosen, shape: [from.length] };
}

function fromMemory(data: PointData): LoadedPoints {
  if (!Array.isArray(data)) {
    const array = data as HostArray;
    checkHostArray('The data', array, { nonFinite: true });
    return fromArray('The data', array);
  }
  const rows = data as readonly (readonly number[])[];
  const columns = rows[0]?.length ?? 0;
  const ragged = rows.findIndex((row) => row.length !== columns);
  if (ragged >= 0)
    throw new DataError(`Row ${ragged + 1} of the data has ${rows[ragged].length} numbers.`, {
      actual: rows[ragged],
      expected: `${columns}, like the first row`,
    });
  return fromArray('The data', { data: Float64Array.from(rows.flat()), shape: [rows.length, columns], dtype: 'f64' });
}

/** The first axis counts points; a one-dimensional array is points of one dimension. */
function fromArray(source: string, { data, shape }: HostArray): LoadedPoints {
  if (shape.length === 0 || sizeOf(shape) === 0) {
    throw new DataError(`${source} holds no points: its shape is ${formatShape(shape)}.`, {
      actual: shape,
      expected: '[count, ...] with one number or more',
    });
  }
  const [count, ...event] = shape;
  const size = sizeOf(event);
  const place = (element: number): string => {
    const within = event.length > 1 ? `element ${element % size}` : `column ${(element % size) + 1}`;
    return `row ${Math.floor(element / size) + 1}, ${within}`;
  };
  return { source, values: finite(source, data, place), count, shape: event.length === 0 ? [1] : event };
}

/** Values in f32. Values that only overflow f32 are refused too. */
function finite(source: string, values: TypedArray, place: (element: number) => string): Float32Array {
  const rounded = new Float32Array(values);
  // A loop: findIndex takes eight times as long, which matters for gigabytes.
  for (let i = 0; i < rounded.length; i++) {
    if (Number.isFinite(rounded[i])) continue;
    throw new DataError(`${source}: ${place(i)} holds ${values[i]}.`, {
      actual: values[i],
      expected: 'a number that is finite in float32',
    });
  }
  return rounded;
}

function splitDataset(
  { source, values, count, shape, warnings = [] }: LoadedPoints,
  heldOut: number,
  splitSeed: number,
): Dataset {
  // A separate stream: the order of an epoch must not reveal the split.
  const order = permutation(count, splitSeed, streams.data + 1);
  const testCount = heldOut === 0 ? 0 : Math.max(1, Math.round(heldOut * count));
  if (testCount === count) {
    throw new DataError(`Holding out ${heldOut} of ${count} points of ${source} leaves none to train on.`, {
      actual: heldOut,
      expected: 'a smaller share, or more points',
    });
  }
  const rows = { test: order.slice(0, testCount), train: order.slice(testCount) };
  const size = sizeOf(shape);
  const epochOrder = lastOrders();
  return {
    name: 'points',
    shape,
    size: rows.train.length,
    ...(testCount > 0 && { testSize: testCount }),
    warnings: [...warnings, ...scaleWarnings(source, values, shape)],
    batch({ index, size: batchSize, seed, split = 'train' }) {
      const pool = rows[split];
      if (pool.length === 0) {
        throw new OptionError(`No points of ${source} are held out.`, {
          actual: heldOut,
          expected: 'a share above 0',
          remedy: 'Set heldOut, or evaluate on another file.',
        });
      }
      const data = new Float32Array(batchSize * size);
      for (let i = 0; i < batchSize; i++) {
        const position = index * batchSize + i;
        const shuffled = epochOrder(pool.length, seed, split, Math.floor(position / pool.length));
        const row = pool[shuffled[position % pool.length]];
        data.set(values.subarray(row * size, (row + 1) * size), i * size);
      }
      return { x1: hostArray(data, [batchSize, ...shape]) };
    },
  };
}

/** The orders of epochs. The last two are kept, because a batch may straddle two epochs. */
function lastOrders(): (count: number, seed: number, split: 'train' | 'test', epoch: number) => Uint32Array {
  const kept: { key: string; order: Uint32Array }[] = [];
  return (count, seed, split, epoch) => {
    const key = `${seed}/${split}/${epoch}`;
    const known = kept.find((entry) => entry.key === key);
    if (known) return known.order;
    const order = permutation(count, seed, split === 'test' ? streams.test : streams.data, epoch);
    kept.unshift({ key, order });
    kept.length = Math.min(kept.length, 2);
    return order;
  };
}
