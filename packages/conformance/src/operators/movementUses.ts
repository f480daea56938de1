import * as fm from '@flow-matching/tensor';
import type { DType, Shape, Tensor } from '@flow-matching/tensor';
import type { Row, Use } from '../case/use.ts';
import { all } from './dtypes.ts';
import type { OperatorUses } from './operatorUses.ts';

const use = (what: string, shapes: readonly Shape[], formula: (...inputs: Tensor[]) => Tensor): Use => ({
  what,
  operands: (draw) => shapes.map((shape) => draw.array(shape)),
  formula,
});

/** As many axes as for images split into patches and heads. */
const sixAxes: Shape = [2, 3, 2, 2, 2, 3];

const moved = (operator: string, rows: readonly Row[]): OperatorUses => ({ operator, dtypes: all, rows: () => rows });

const castTo = (to: DType): Row => ({
  what: `to ${to}`,
  uses: [
    {
      what: `to ${to}`,
      // Negative numbers cannot be cast to unsigned ones.
      operands: (draw) => [draw.array([3, 5], to === 'u32' ? [0, 9] : [-9, 9]), draw.array([], [0, 9])],
      formula: (...inputs) => inputs.map((x) => x.cast(to)),
    },
  ],
});

/** Operators that move elements: exact for every dtype. */
export const movementUses: readonly OperatorUses[] = [
  moved('Reshape', [
    {
      what: 'shapes',
      uses: [
        use('[2, 6] to [3, 4]', [[2, 6]], (x) => x.reshape([3, -1])),
        use('[2, 3, 4] to [24]', [[2, 3, 4]], (x) => x.reshape([24])),
        use('[1] to []', [[1]], (x) => x.reshape([])),
        use('[] to [1, 1]', [[]], (x) => x.reshape([1, 1])),
      ],
    },
  ]),
  moved('Transpose', [
    {
      what: 'two axes',
      uses: [
        use('[2, 3]', [[2, 3]], (x) => x.transpose()),
        use('[67, 35]', [[67, 35]], (x) => x.transpose()),
        use('[1, 5]', [[1, 5]], (x) => x.transpose()),
      ],
    },
    {
      what: 'permutations of more axes',
      uses: [
        use('[2, 3, 4] by [1, 2, 0]', [[2, 3, 4]], (x) => x.transpose([1, 2, 0])),
        use('[2, 3, 4] by [1, 0, 2]', [[2, 3, 4]], (x) => x.transpose([1, 0, 2])),
        use('[2, 3, 4, 5] by [0, 3, 1, 2]', [[2, 3, 4, 5]], (x) => x.transpose([0, 3, 1, 2])),
        use('[2, 3, 2, 2, 3] by [4, 2, 0, 3, 1]', [[2, 3, 2, 2, 3]], (x) => x.transpose([4, 2, 0, 3, 1])),
      ],
    },
    {
      what: 'six axes',
      uses: [
        use('by [5, 3, 1, 0, 2, 4]', [sixAxes], (x) => x.transpose([5, 3, 1, 0, 2, 4])),
        use('by [1, 0, 3, 2, 5, 4]', [sixAxes], (x) => x.transpose([1, 0, 3, 2, 5, 4])),
        use('backwards', [sixAxes], (x) => x.transpose()),
      ],
    },
  ]),
  moved('Expand', [
    {
      what: 'shapes',
      uses: [
        use('[] to [2, 3]', [[]], (x) => x.expand([2, 3])),
        use('[3, 1] to [2, 3, 4]', [[3, 1]], (x) => x.expand([2, 3, 4])),
        use('[2, 1, 3] to [2, 4, 3]', [[2, 1, 3]], (x) => x.expand([2, 4, 3])),
        use('[1] to [700]', [[1]], (x) => x.expand([700])),
        use('[2, 1, 2, 1, 2, 1] to six axes', [[2, 1, 2, 1, 2, 1]], (x) => x.expand([2, 3, 2, 2, 2, 3])),
      ],
    },
  ]),
  moved('Cast', fm.dtypes.map(castTo)),
  moved('Concat', [
    {
      what: 'axes',
      uses: [
        use(
          '[2, 3] and [4, 3] along 0',
          [
            [2, 3],
            [4, 3],
          ],
          (...parts) => fm.concat(parts, 0),
        ),
        use(
          '[2, 3], [2, 1] and [2, 2] along 1',
          [
            [2, 3],
            [2, 1],
            [2, 2],
          ],
          (...parts) => fm.concat(parts, 1),
        ),
        use(
          '[2, 3, 2] twice along 1',
          [
            [2, 3, 2],
            [2, 3, 2],
          ],
          (...parts) => fm.concat(parts, 1),
        ),
        use('the same part twice', [[2, 2]], (x) => fm.concat([x, x], -1)),
      ],
    },
    {
      what: 'many parts',
      uses: [
        use(
          'twelve of [1, 5]',
          Array.from({ length: 12 }, () => [1, 5]),
          (...parts) => fm.concat(parts, 0),
        ),
        // More than a kernel can take: the bindings of a shader, the inputs of one call.
        use(
          'seventeen of [1, 5]',
          Array.from({ length: 17 }, () => [1, 5]),
          (...parts) => fm.concat(parts, 0),
        ),
        use(
          'forty of [2, 1] along the last axis',
          Array.from({ length: 40 }, () => [2, 1]),
          (...parts) => fm.concat(parts, -1),
        ),
      ],
    },
    {
      what: 'six axes',
      uses: [
        use('along the third of six', [sixAxes, sixAxes], (...parts) => fm.concat(parts, 2)),
        use('along the last of six', [sixAxes, sixAxes], (...parts) => fm.concat(parts, 5)),
      ],
    },
  ]),
  moved('Slice', [
    {
      what: 'boxes',
      uses: [
        use('the middle of [6, 5]', [[6, 5]], (x) => fm.slice(x, [1, 2], [5, 4])),
        use('the end of [2, 3, 4]', [[2, 3, 4]], (x) => fm.slice(x, [0, 0, 1], [2, 3, 4])),
        use('one element of [3, 4]', [[3, 4]], (x) => fm.slice(x, [2, 3], [3, 4])),
        use('of six axes', [sixAxes], (x) => fm.slice(x, [0, 1, 0, 0, 1, 0], [2, 3, 1, 2, 2, 2])),
      ],
    },
    {
      what: 'steps',
      uses: [
        use('every other of [2, 3, 5]', [[2, 3, 5]], (x) => fm.slice(x, [0, 0, 1], [2, 3, 5], [1, 1, 2])),
        use('forwards and backwards in [6, 5]', [[6, 5]], (x) => fm.slice(x, [0, 4], [6, 0], [2, -1])),
        use('backwards through index 0', [[6]], (x) => fm.sliceAxis(x, 0, 5, undefined, -1)),
        use('backwards by twos', [[6]], (x) => fm.sliceAxis(x, 0, 5, undefined, -2)),
        use('along the second and the last of six axes', [sixAxes], (x) =>
          fm.slice(x, [0, 2, 0, 0, 0, 0], [2, 0, 2, 2, 2, 3], [1, -1, 1, 1, 1, 2]),
        ),
      ],
    },
  ]),
  moved('Pad', [
    {
      what: 'zeros and ones',
      uses: [
        use('[2, 3] before and after', [[2, 3]], (x) => fm.pad(x, [1, 0], [0, 2])),
        use('[4] with ones', [[4]], (x) => fm.pad(x, [2], [3], 1)),
        use('[2, 1, 3] all around', [[2, 1, 3]], (x) => fm.pad(x, [1, 2, 1], [2, 1, 1], 1)),
        use('six axes', [sixAxes], (x) => fm.pad(x, [0, 1, 0, 0, 0, 2], [1, 0, 0, 0, 1, 0], 1)),
      ],
    },
  ]),
];
