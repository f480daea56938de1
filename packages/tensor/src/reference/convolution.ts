import { Conv, ConvInputGradient, ConvWeightGradient, type ConvAttributes } from '../operators/convolution.ts';
import { isFloat, type TypedArray } from '../tensor/dtype.ts';
import { sizeOf, type Shape, type TensorType } from '../tensor/shape.ts';
import { kernel, numeric, zeroed, type Kernel } from './kernel.ts';

/** Visits the products that a convolution sums: the input element, the weight element and the output element. Padding is skipped. */
function eachProduct(
  x: Shape,
  w: Shape,
  y: Shape,
  { strides, pads, dilations, group }: ConvAttributes,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [, channels, height, width] = x;
  const [filters, depth, kernelHeight, kernelWidth] = w;
  const [batch, , rows, columns] = y;
  for (let n = 0; n < batch; n++)
    for (let filter = 0; filter < filters; filter++)
      for (let d = 0; d < depth; d++) {
        const channel = Math.floor(filter / (filters / group)) * depth + d;
        for (let row = 0; row < rows; row++)
          for (let i = 0; i < kernelHeight; i++) {
            const sourceRow = row * strides[0] + i * dilations[0] - pads[0];
            if (sourceRow < 0 || sourceRow >= height) continue;
            for (let column = 0; column < columns; column++)
              for (let j = 0; j < kernelWidth; j++) {
                const sourceColumn = column * strides[1] + j * dilations[1] - pads[1];
                if (sourceColumn < 0 || sourceColumn >= width) continue;
                visit(
                  ((n * channels + channel) * height + sourceRow) * width + sourceColumn,
                  ((filter * depth + d) * kernelHeight + i) * kernelWidth + j,
                  ((n * filters + filter) * rows + row) * columns + column,
                );
              }
          }
      }
}

/** Accumulates products into an output of `type`. */
function accumulate(
  { shape, dtype }: TensorType,
  products: (add: (at: number, a: number, b: number) => void) => void,
): TypedArray {
  const result = zeroed(dtype, sizeOf(shape));
  const times = isFloat(dtype) ? (a: number, b: number): number => a * b : Math.imul;
  products((at, a, b) => {
    result[at] += times(a, b);
  });
  return result;
}

export const convolution: readonly Kernel[] = [
  kernel(Conv, numeric, ({ attributes, outputs: [y] }, [x, w]) =>
    accumulate(y, (add) =>
      eachProduct(x.shape, w.shape, y.shape, attributes, (i, j, k) => add(k, x.data[i], w.data[j])),
    ),
  ),
  kernel(ConvInputGradient, numeric, ({ attributes, outputs: [x] }, [g, w]) =>
    accumulate(x, (add) =>
      eachProduct(x.shape, w.shape, g.shape, attributes, (i, j, k) => add(i, g.data[k], w.data[j])),
    ),
  ),
  kernel(ConvWeightGradient, numeric, ({ attributes, outputs: [w] }, [x, g]) =>
    accumulate(w, (add) =>
      eachProduct(x.shape, w.shape, g.shape, attributes, (i, j, k) => add(j, x.data[i], g.data[k])),
    ),
  ),
];
