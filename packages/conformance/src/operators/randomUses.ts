import * as fm from '@flow-matching/tensor';
import { formatShape, type HostArray, type Shape, type Tensor } from '@flow-matching/tensor';
import { rowOf, type LimitOf, type Row } from '../case/use.ts';
import { perElement } from './accuracy.ts';
import type { OperatorUses } from './operatorUses.ts';

type DrawFormula = (key: Tensor, counter: Tensor, shape: Shape) => Tensor;

const shapes: readonly Shape[] = [[4], [5, 6], [3, 2, 2], [2, 1030]];
const words = (...values: number[]): HostArray => fm.hostArray(Uint32Array.from(values));

const rows = (formula: DrawFormula, limit?: (shape: Shape) => LimitOf): Row[] =>
  shapes.map((shape) =>
    rowOf({
      what: formatShape(shape),
      operands: () => [words(0x2545f491, 7), words(0, 3, 12, 5)],
      formula: (key, counter) => formula(key, counter, shape),
      limit: limit?.(shape),
    }),
  );

/**
 * Box–Muller: the logarithm's error (WGSL: 3 ulp, or 8 round-offs for arguments from ½ on) is divided by the radius, the angle's 2π
 * round-offs and the circular functions' 4 ulp are multiplied by it.
 */
const boxMuller =
  (shape: Shape): LimitOf =>
  (expected) => {
    const size = fm.sizeOf(shape.slice(1));
    const half = Math.ceil(size / 2);
    return perElement(
      expected,
      (i, unit) => {
        const partner = i % size < half ? i + half : i - half;
        // The last element of an odd size has no partner: its magnitude is the smallest possible radius.
        const other = Math.floor(partner / size) === Math.floor(i / size) ? expected.data[partner] : 0;
        const radius = Math.hypot(expected.data[i], other);
        const square = (16 + 6 * radius ** 2) * unit;
        return Math.min(Math.sqrt(square), square / (2 * radius)) + (10 + 8 * Math.PI) * unit * Math.max(radius, 1);
      },
      'WGSL’s log over the radius, the angle times it',
    );
  };

/** The counter-based generator, and the distributions made of its words. */
export const randomUses: readonly OperatorUses[] = [
  { operator: 'RandomBits', dtypes: ['u32'], rows: () => rows(fm.randomBits) },
  { operator: 'RandomUniform', dtypes: ['f32'], rows: () => rows(fm.randomUniform) },
  { operator: 'RandomNormal', dtypes: ['f32'], rows: () => rows(fm.randomNormal, boxMuller) },
  { operator: 'RandomSign', dtypes: ['f32'], rows: () => rows(fm.randomSign) },
];
