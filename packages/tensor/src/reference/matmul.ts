import { MatMul } from '../operators/matmul.ts';
import { isFloat } from '../tensor/dtype.ts';
import { sizeOf } from '../tensor/shape.ts';
import { broadcast, kernel, numeric, zeroed, type Kernel } from './kernel.ts';

export const products: readonly Kernel[] = [
  kernel(MatMul, numeric, ({ outputs: [{ shape, dtype }] }, [a, b]) => {
    const [rows, columns] = shape.slice(-2);
    const inner = a.shape[a.shape.length - 1];
    const lead = shape.slice(0, -2);
    const left = broadcast(a, [...lead, rows, inner]);
    const right = broadcast(b, [...lead, inner, columns]);
    const times = isFloat(dtype) ? (x: number, y: number): number => x * y : Math.imul;
    const result = zeroed(dtype, sizeOf(shape));
    for (let matrix = 0; matrix < sizeOf(lead); matrix++) {
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < inner; k++) {
          const factor = left[(matrix * rows + row) * inner + k];
          for (let column = 0; column < columns; column++) {
            result[(matrix * rows + row) * columns + column] += times(
              factor,
              right[(matrix * inner + k) * columns + column],
            );
          }
        }
      }
    }
    return result;
  }),
];
