import { add, f32, hostArray, matmul, reduceSum, trace, valueAndGrad, type HostArray } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { timeGraph } from '../speed/timeGraph.ts';

/** From this many milliseconds on, a size measures the rate and not the call overhead. */
const long = 5;

/**
 * Level 6: how fast the backend is, for information. Without limits: rates are noted for the smallest size that takes the
 * backend {@link long} milliseconds, or the largest size tried.
 */
export const speedCases = (): readonly ConformanceCase[] => [
  speedCase('Add', 'a call', 'What a run of a graph of one scalar takes, with reading its result', async (context) => {
    const graph = trace(({ x }) => ({ y: add(x, 1) }), { x: f32([]) });
    context.note({ quantity: 'a run', value: 1000 * (await timeGraph(context, graph, { x: filled([]) })), unit: 'µs' });
  }),
  speedCase('MatMul', 'rate', 'Operations per second of a product of square matrices', async (context) => {
    const { size, milliseconds } = await grown([64, 128, 256, 512, 1024], (n) => timeProduct(context, n));
    const value = (2 * size ** 3) / milliseconds / 1e6;
    context.note({ quantity: `a product of ${size} × ${size} matrices`, value, unit: 'GFLOP/s' });
  }),
  speedCase(
    'Add',
    'bandwidth',
    'Bytes read and written per second by an operator that does little else',
    async (context) => {
      const { size, milliseconds } = await grown([2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22], (n) => timeSum(context, n));
      context.note({ quantity: `a sum of ${size} elements`, value: (12 * size) / milliseconds / 1e6, unit: 'GB/s' });
    },
  ),
  speedCase(
    'MatMul',
    'gradient',
    'A loss and its gradient by two layers, [batch, 256] × [256, 256]',
    async (context) => {
      const { size, milliseconds } = await grown([16, 64, 256, 1024], (n) => timeGradient(context, n));
      context.note({ quantity: `a gradient, batch ${size}`, value: milliseconds, unit: 'ms' });
    },
  ),
];

const speedCase = (
  subject: string,
  what: string,
  claim: string,
  run: (context: CaseContext) => Promise<void>,
): ConformanceCase => ({ id: `L6/${subject}/f32/${what}`, level: 6, dtype: 'f32', claim, run });

/** The first size that takes long enough, with its time. */
async function grown(
  sizes: readonly number[],
  time: (size: number) => Promise<number>,
): Promise<{ size: number; milliseconds: number }> {
  let found = { size: 0, milliseconds: 0 };
  for (const size of sizes) {
    found = { size, milliseconds: await time(size) };
    if (found.milliseconds >= long) break;
  }
  return found;
}

/** The product's first column is summed, so that the read-back is small. */
function timeProduct(context: CaseContext, n: number): Promise<number> {
  const matrix = f32([n, n]);
  const graph = trace(({ a, b }) => ({ trace: reduceSum(matmul(a, b), [1]) }), { a: matrix, b: matrix });
  return timeGraph(context, graph, { a: filled([n, n]), b: filled([n, n]) });
}

function timeSum(context: CaseContext, n: number): Promise<number> {
  const graph = trace(({ size, a, b }) => ({ size: add(size, 1), sum: add(a, b) }), {
    size: f32([]),
    a: f32([n]),
    b: f32([n]),
  });
  return timeGraph(context, graph, { size: filled([]), a: filled([n]), b: filled([n]) });
}

function timeGradient(context: CaseContext, batch: number): Promise<number> {
  const width = 256;
  const graph = trace(
    ({ x, w, v }) => {
      const { value, gradient } = valueAndGrad(
        ([first, second]) => x.matmul(first).tanh().matmul(second).square().mean(),
        [w, v],
      );
      return { value, first: gradient[0], second: gradient[1] };
    },
    { x: f32([batch, width]), w: f32([width, width]), v: f32([width, width]) },
  );
  return timeGraph(context, graph, { x: filled([batch, width]), w: filled([width, width]), v: filled([width, width]) });
}

/** Numbers without structure around 0, small enough that sums of products stay small. */
const filled = (shape: readonly number[]): HostArray => {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return hostArray(
    Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5),
    shape,
    'f32',
  );
};
