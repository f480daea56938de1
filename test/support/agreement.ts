import { expect } from 'chai';
import {
  allocate,
  evaluateGraph,
  Graph,
  input,
  sizeOf,
  type Backend,
  type HostArray,
  type Tensor,
  type TensorType,
  type TypedArray,
} from '@flow-matching/tensor';

/** Uniform numbers in [0, 1) that are the same in every run. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An array of `type` drawn from [low, high): whole numbers for integers, coin tosses for bool. */
export function draw(type: TensorType, [low, high]: readonly [number, number], next: () => number): HostArray {
  const data = allocate(type.dtype, sizeOf(type.shape));
  for (let i = 0; i < data.length; i++) {
    const value = low + (high - low) * next();
    data[i] =
      type.dtype === 'bool'
        ? Number(next() < 0.5)
        : type.dtype === 'i32' || type.dtype === 'u32'
          ? Math.floor(value)
          : value;
  }
  return { data, ...type };
}

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** What rounding explains: a few units in the last place of f32, next to nothing of f64, nothing of integers. */
export const toleranceOf = (type: TensorType): Tolerance =>
  type.dtype === 'f32'
    ? { absolute: 2e-6, relative: 2e-6 }
    : type.dtype === 'f64'
      ? { absolute: 1e-13, relative: 1e-13 }
      : { absolute: 0, relative: 0 };

export function expectClose(
  actual: TypedArray,
  expected: TypedArray,
  { absolute, relative }: Tolerance,
  what: string,
): void {
  expect(actual.length, `${what}: length`).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    const close = Object.is(a, e) || a === e || Math.abs(a - e) <= absolute + relative * Math.abs(e);
    if (!close) expect.fail(`${what}: element ${i} is ${a}, the reference has ${e}`);
  }
}

/** Runs `formula` on `backend` and on the reference, and compares every output. */
export async function expectAgreement(
  backend: Backend,
  formula: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly HostArray[],
  tolerance: (type: TensorType) => Tolerance = toleranceOf,
): Promise<void> {
  const ports = inputs.map(({ shape, dtype }, i) => ({ name: `x${i}`, tensor: input(`x${i}`, { shape, dtype }) }));
  const results = [formula(...ports.map((port) => port.tensor))].flat();
  const graph = new Graph(
    ports,
    results.map((tensor, i) => ({ name: `y${i}`, tensor })),
  );
  const named = Object.fromEntries(inputs.map((array, i) => [`x${i}`, array]));
  const expected = evaluateGraph(graph, named);
  const executable = await backend.compile(graph);
  try {
    const actual = await executable.run(named);
    for (const [name, array] of Object.entries(actual)) {
      expect(array.dtype, `${name}: dtype`).to.equal(expected[name].dtype);
      expect(array.shape, `${name}: shape`).to.deep.equal(expected[name].shape);
      expectClose(await array.read(), expected[name].data, tolerance(array), `${name} of\n${graph.toString()}`);
      array.dispose();
    }
  } finally {
    await executable.dispose();
  }
}
