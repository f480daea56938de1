import { sizeOf, trace, type Backend, type HostArray, type Tensor, type TensorType } from '@flow-matching/tensor';

export type Numbers = number | readonly Numbers[];

const shapeOf = (values: Numbers): number[] =>
  typeof values === 'number' ? [] : [values.length, ...shapeOf(values[0])];

/** Numbers as an f32 input of a backend; the reference gets them unrounded. */
export function floats(backend: Backend, values: Numbers): HostArray {
  const shape = shapeOf(values);
  const flat = typeof values === 'number' ? [values] : (values as number[]).flat(Infinity);
  if (flat.length !== sizeOf(shape)) throw new Error('Values are ragged.');
  const data = backend.name === 'reference' ? Float64Array.from(flat) : Float32Array.from(flat);
  return { data, shape, dtype: 'f32' };
}

/** A traced formula's outputs on a backend, by name. */
export async function evaluateOn(
  backend: Backend,
  formula: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
  inputs: Readonly<Record<string, Numbers | HostArray>>,
): Promise<Record<string, number[]>> {
  const arrays = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      typeof value === 'object' && 'dtype' in value ? value : floats(backend, value),
    ]),
  );
  const types = Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, dtype }]): [string, TensorType] => [name, { shape, dtype }]),
  );
  const executable = await backend.compile(trace((symbols) => formula(symbols as Record<string, Tensor>), types));
  try {
    const outputs = await executable.run(arrays);
    const read = await Promise.all(
      Object.entries(outputs).map(async ([name, array]) => [name, Array.from(await array.read(), Number)] as const),
    );
    for (const array of Object.values(outputs)) array.dispose();
    return Object.fromEntries(read);
  } finally {
    await executable.dispose();
  }
}

/** Fails naming the element unless each is within its own tolerance of what is expected. NaN never is. */
export function expectWithin(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number | readonly number[],
  what: string,
): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} ${what}, expected ${expected.length}`);
  expected.forEach((value, i) => {
    const limit = typeof tolerance === 'number' ? tolerance : tolerance[i];
    if (!(Math.abs(actual[i] - value) <= limit))
      throw new Error(
        `${what}[${i}] is ${actual[i]}, expected ${value} within ${limit}: off by ${Math.abs(actual[i] - value)}`,
      );
  });
}
