import { allocate, type BackendArray, type DType, type HostArray } from '@flow-matching/tensor';
import { UndeclaredError } from '../backend/auditedBackend.ts';
import { claim } from '../case/conformanceError.ts';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { vector } from './vectors.ts';

/** Values that each dtype represents exactly. */
const samples: Readonly<Record<DType, readonly number[]>> = {
  f16: [0, -1.5, 65504, 2 ** -14, -Infinity, NaN],
  f32: [0, -1.5, 2 ** 100, 2 ** -100, Infinity, NaN],
  f64: [0, 0.1, 2 ** 1000, 2 ** -1000, -Infinity, NaN],
  i32: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  u32: [0, 1, 2 ** 31, 2 ** 32 - 1],
  bool: [0, 1, 1, 0],
};

export const arrayCases = (): readonly ConformanceCase[] => [
  ...(Object.keys(samples) as DType[]).map((dtype) =>
    lifecycleCase(
      `arrays/${dtype}`,
      `An array of ${dtype} gives back what it was given.`,
      (c) => roundTrip(c, dtype),
      dtype,
    ),
  ),
  lifecycleCase('arrays/copies', 'array() copies what it is given, and read() hands out a copy.', async (context) => {
    const source = vector(1, 2);
    const array = context.backend.array(source);
    source.data[0] = 9;
    (await array.read())[1] = 9;
    await expectValues(context, 'the array', array, [1, 2]);
    array.dispose();
  }),
  lifecycleCase('arrays/sizes', 'Data that do not fill their shape are refused.', async ({ backend }) => {
    await refused('One value for shape [2]', 'FM_SHAPE', () => backend.array({ ...vector(1), shape: [2] }));
  }),
  lifecycleCase(
    'arrays/disposal',
    'A disposed array says so and cannot be read; disposing twice is harmless.',
    async ({ backend }) => {
      const array = backend.array(vector(1, 2));
      claim(!array.disposed, 'A new array is disposed.');
      array.dispose();
      array.dispose();
      claim(array.disposed, 'A disposed array does not say so.');
      await refused('Reading a disposed array', 'FM_DISPOSED', () => array.read());
    },
  ),
];

/** @throws UndeclaredError if no declared operator has the dtype. */
async function roundTrip(context: CaseContext, dtype: DType): Promise<void> {
  const { backend } = context;
  if (![...backend.manifest.values()].some((declared) => declared.includes(dtype))) {
    throw new UndeclaredError(`The manifest does not declare any operator for ${dtype}.`, { actual: dtype });
  }
  const data = allocate(dtype, samples[dtype].length);
  data.set(samples[dtype]);
  const shapes = [[data.length], [1, data.length, 1]];
  for (const shape of shapes) await expectSame(context, { data, shape, dtype });
  await expectSame(context, { data: allocate(dtype, 0), shape: [0, 3], dtype });
  await expectSame(context, { data: data.slice(1, 2), shape: [], dtype });
}

async function expectSame(context: CaseContext, source: HostArray): Promise<void> {
  const array: BackendArray = context.backend.array(source);
  const { shape, dtype } = source;
  claim(array.dtype === dtype, `An array of ${dtype} becomes ${array.dtype}.`);
  claim(
    array.shape.join() === shape.join(),
    `An array of shape [${shape.join(', ')}] becomes [${array.shape.join(', ')}].`,
  );
  await expectValues(context, `${dtype}[${shape.join(', ')}]`, array, Array.from(source.data, Number));
  array.dispose();
}
