import { sizeOf, type Shape } from '@flow-matching/tensor';

/** Means and standard deviations above this, and standard deviations below its inverse, are far from those of noise. */
const far = 10;

interface Column {
  /** From 1. */
  readonly number: number;
  readonly mean: number;
  readonly std: number;
}

/**
 * Warnings if points [count, ...shape] are far from the noise's mean 0 and standard deviation 1, or do not vary. Points with
 * more than one axis, such as images, are measured as a whole.
 */
export function scaleWarnings(source: string, values: Float32Array, shape: Shape): string[] {
  const width = shape.length === 1 ? sizeOf(shape) : 1;
  if (values.length / width < 2) return [];
  const columns = Array.from({ length: width }, (_, column) => momentsOf(values, column, width));
  const constant = columns.filter(({ mean, std }) => std <= 1e-7 * Math.abs(mean));
  if (constant.length > 0) {
    const which =
      constant.length === columns.length
        ? 'All points are the same'
        : `Column ${constant[0].number} is constant, ${show(constant[0].mean)}`;
    return [
      `${source}: ${which}. The data have no density there: the likelihood grows without bound during training. Leave such columns out.`,
    ];
  }
  if (columns.every(({ mean, std }) => Math.abs(mean) <= far && std <= far && std >= 1 / far)) return [];
  const means = columns.toSorted((a, b) => a.mean - b.mean);
  const stds = columns.toSorted((a, b) => a.std - b.std);
  const range = (what: 'mean' | 'std', [least, most]: readonly (Column | undefined)[]): string =>
    width === 1
      ? show(least![what])
      : `${show(least![what])} (column ${least!.number}) to ${show(most![what])} (column ${most!.number})`;
  return [
    `${source}: means are ${range('mean', [means[0], means.at(-1)])}, standard deviations ${range('std', [stds[0], stds.at(-1)])}. ` +
      `Flows start from noise of mean 0 and standard deviation 1 and learn little of data at other scales: standardize them, (x - mean) / std.`,
  ];
}

const show = (value: number): string => String(Number(value.toPrecision(3)));

/** In f64, with deviations from the mean, so that large means do not cost precision. */
function momentsOf(values: Float32Array, column: number, width: number): Column {
  const count = values.length / width;
  let sum = 0;
  for (let i = column; i < values.length; i += width) sum += values[i];
  const mean = sum / count;
  let squares = 0;
  for (let i = column; i < values.length; i += width) squares += (values[i] - mean) ** 2;
  return { number: column + 1, mean, std: Math.sqrt(squares / count) };
}
