import * as operators from '../operators/movement.ts';
import { sizeOf, stridesOf } from '../tensor/shape.ts';
import { all, broadcast, eachIndex, kernel, positionOf, zeroed, type Evaluate, type Kernel } from './kernel.ts';

const unchanged: Evaluate<never> = (_, [x]) => x.data;

export const movement: readonly Kernel[] = [
  kernel(operators.Reshape, all, unchanged),
  kernel(operators.Identity, all, unchanged),
  kernel(operators.StopGradient, all, unchanged),
  kernel(operators.Barrier, all, unchanged),

  kernel(operators.Expand, all, ({ outputs: [{ shape }] }, [x]) => broadcast(x, shape)),

  kernel(operators.Transpose, all, ({ attributes: { perm }, outputs: [{ shape, dtype }] }, [x]) => {
    const result = zeroed(dtype, sizeOf(shape));
    const strides = stridesOf(x.shape);
    const moved = perm.map((axis) => strides[axis]);
    eachIndex(shape, (index, position) => {
      result[position] = x.data[positionOf(index, moved)];
    });
    return result;
  }),

  kernel(operators.Cast, all, ({ attributes: { to } }, [x]) => {
    const result = zeroed(to, x.data.length);
    // Storing a float into an integer array truncates it; a bool is whether it is non-zero.
    x.data.forEach((value, i) => (result[i] = to === 'bool' ? Number(value !== 0) : value));
    return result;
  }),

  kernel(operators.Concat, all, ({ attributes: { axis }, outputs: [{ shape, dtype }] }, inputs) => {
    const result = zeroed(dtype, sizeOf(shape));
    const strides = stridesOf(shape);
    let start = 0;
    for (const { data, shape: part } of inputs) {
      const offset = start * strides[axis];
      eachIndex(part, (index, position) => {
        result[offset + positionOf(index, strides)] = data[position];
      });
      start += part[axis];
    }
    return result;
  }),

  kernel(operators.Slice, all, ({ attributes: { starts, steps }, outputs: [{ shape, dtype }] }, [x]) => {
    const result = zeroed(dtype, sizeOf(shape));
    const strides = stridesOf(x.shape);
    eachIndex(shape, (index, position) => {
      result[position] =
        x.data[
          positionOf(
            index.map((at, axis) => starts[axis] + at * steps[axis]),
            strides,
          )
        ];
    });
    return result;
  }),

  kernel(operators.Pad, all, ({ attributes: { pads, value }, outputs: [{ shape, dtype }] }, [x]) => {
    const result = zeroed(dtype, sizeOf(shape)).fill(value);
    const strides = stridesOf(shape);
    eachIndex(x.shape, (index, position) => {
      result[
        positionOf(
          index.map((at, axis) => at + pads[axis]),
          strides,
        )
      ] = x.data[position];
    });
    return result;
  }),
];
