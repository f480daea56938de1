import { definePath, gaussianPath, twoSidedPath, type Path } from '@flow-matching/core';
import {
  broadcastShapes,
  constant,
  expand,
  OptionError,
  toTensor,
  type Shape,
  type Tensor,
  type TensorLike,
} from '@flow-matching/tensor';
import * as z from 'zod';
import { parseFormula } from './formula.ts';

const positive = z.float32().positive();

const options = z.strictObject({
  mean: z
    .string()
    .describe('Mean of the path: an expression in t, x1 and the constants; using x0 as well makes the path two-sided'),
  std: z.string().describe('Standard deviation of the path: an expression in t and the constants'),
  constants: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), z.union([z.float32(), z.array(z.float32()).min(1)]))
    .default({})
    .describe('Numbers that the expressions can name, or lists with one number per dimension'),
  priorStd: z
    .union([positive, z.array(positive).min(1)])
    .default(1)
    .describe('Standard deviation of the prior, or one per dimension; ignored by two-sided paths'),
  interval: z
    .strictObject({ start: z.float32().default(0), end: z.float32().default(1) })
    .default({ start: 0, end: 1 })
    .describe('Times to use; end early where a derivative grows without bound'),
  dataScale: positive.default(1).describe('Typical size of a coordinate of the data, used to check the formulas'),
});

const reserved = ['t', 'x0', 'x1', 'pi', 'e'];

/**
 * A path from two expressions: `mean: "t * x1"`, `std: "1 - (1 - s) * t"`, `constants: { s: 0.01 }`. The formulas are checked
 * when the path is made, as {@link checkPath} does.
 *
 * @throws OptionError with the position of a syntax error; PathError or NumericalError if the formulas do not define a path.
 */
export const custom = definePath({
  name: 'custom',
  summary: 'Two expressions of your own: mean of t and x1, std of t',
  options,
  create({ mean, std, constants, priorStd, interval, dataScale }): Path {
    const names = Object.keys(constants);
    const clash = names.find((name) => reserved.includes(name));
    if (clash) {
      throw new OptionError(`The path 'custom' refuses its option 'constants': '${clash}' has a meaning already.`, {
        actual: clash,
        expected: `a name other than ${reserved.join(', ')}`,
      });
    }
    const meanOf = parseFormula(mean, ['t', 'x0', 'x1', ...names], "The option 'mean' of the path 'custom'");
    const stdOf = parseFormula(std, ['t', ...names], "The option 'std' of the path 'custom'");
    const given: Record<string, TensorLike> = Object.fromEntries(
      Object.entries(constants).map(([name, value]) => [name, typeof value === 'number' ? value : constant([value])]),
    );
    const formulas = {
      name: 'custom',
      interval,
      dataScale,
      std: (t: Tensor) => shaped(stdOf({ ...given, t }), t.shape),
      ...shapeFrom(constants),
    };
    // Only the name counts, wherever it is in the expression.
    if (/\bx0\b/.test(mean)) {
      return twoSidedPath({ ...formulas, mean: (t, x0, x1) => shaped(meanOf({ ...given, t, x0, x1 }), x1.shape) });
    }
    return gaussianPath({ ...formulas, priorStd, mean: (t, x1) => shaped(meanOf({ ...given, t, x1 }), x1.shape) });
  },
});

/** A formula's value, which may be a plain number, broadcast to a shape. */
function shaped(value: TensorLike, shape: Shape): Tensor {
  const tensor = toTensor(value);
  return expand(tensor, broadcastShapes(tensor.shape, shape));
}

/** The shape of a point, if a list of constants determines it. */
function shapeFrom(constants: Readonly<Record<string, number | readonly number[]>>): { shape?: Shape } {
  const list = Object.values(constants).find((value) => typeof value !== 'number');
  return list ? { shape: [list.length] } : {};
}
