import { add, f32, hostArray, trace, type Backend, type Graph, type Tensor } from '@flow-matching/tensor';
import { median } from '../statistics.ts';

/** What this machine does at best, measured through the same backend. */
export interface Limits {
  /** GFLOP/s of chained products of the model's shapes, by name. */
  readonly products: Readonly<Record<string, number>>;
  /** GB/s of one addition whose three arrays are 64 MiB each: two read, one written. */
  readonly bandwidth: number;
}

const width = 512;
/** Enough to hide what a run costs beside its products. */
const chained = 8;

/** Rates of products at these batch sizes: forward, towards the input, towards the weight. */
export async function measureLimits(backend: Backend, batches: readonly number[]): Promise<Limits> {
  const products: Record<string, number> = {};
  for (const rows of batches) {
    for (const [name, graph] of Object.entries(productGraphs(rows))) {
      const seconds = await fastest(backend, graph);
      products[name] = (chained * 2 * rows * width * width) / seconds / 1e9;
    }
  }
  const length = 64 * 2 ** 18;
  const addition = trace(({ a, b }) => ({ sum: add(a, b) }), { a: f32([length]), b: f32([length]) });
  return { products, bandwidth: (3 * 4 * length) / (await fastest(backend, addition)) / 1e9 };
}

function productGraphs(rows: number): Record<string, Graph> {
  const points = f32([rows, width]);
  const layers = { x: points, w: Array.from({ length: chained }, () => f32([width, width])) };
  const pairs = { y: points, x: Array.from({ length: chained }, () => points) };
  return {
    [`[${rows}×${width}]·[${width}×${width}]`]: trace(({ x, w }) => ({ y: w.reduce(product, x) }), layers),
    [`[${rows}×${width}]·[${width}×${width}]ᵀ`]: trace(
      ({ x, w }) => ({ y: w.reduce((y, weight) => product(y, transposed(weight)), x) }),
      layers,
    ),
    [`[${rows}×${width}]ᵀ·[${rows}×${width}]`]: trace(
      ({ x, y }) => x.map((left) => product(transposed(left), y)),
      pairs,
    ),
  };
}

const product = (a: Tensor, b: Tensor): Tensor => a.matmul(b);
const transposed = (matrix: Tensor): Tensor => matrix.transpose([1, 0]);

/** Seconds of the fastest run: a limit is what the machine can do when nothing is in its way. */
async function fastest(backend: Backend, graph: Graph): Promise<number> {
  const executable = await backend.compile(graph);
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, tensor: { shape, size } }) => [
      name,
      backend.array(hostArray(new Float32Array(size).fill(1e-3), shape)),
    ]),
  );
  const seconds: number[] = [];
  const deadline = performance.now() + 1500;
  while (seconds.length < 5 || (performance.now() < deadline && seconds.length < 200)) {
    const began = performance.now();
    const results = await executable.run(inputs);
    seconds.push((performance.now() - began) / 1000);
    for (const array of Object.values(results)) array.dispose();
  }
  for (const array of Object.values(inputs)) array.dispose();
  await executable.dispose();
  // The very fastest of some tens is the clock's luck; the median of the best fifth is not.
  return median(seconds.toSorted((a, b) => a - b).slice(0, Math.ceil(seconds.length / 5)));
}
