import { f32, slice, trace, type BackendArray } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { increment, inPlace, scalar, vector } from './vectors.ts';

const pair = { a: f32([4]), b: f32([4]) };
const both = {
  aliases: [
    ['a', 'a'],
    ['b', 'b'],
  ],
} as const;

export const donationCases = (): readonly ConformanceCase[] => [
  lifecycleCase(
    'donation/takes',
    'A donated array is disposed by the run that takes it, and its successor can be donated again.',
    async (context) => {
      const executable = await context.backend.compile(increment, inPlace);
      let state = context.backend.array(vector(0, 1, 2));
      for (let i = 0; i < 5; i++) {
        const before = state;
        const { state: after, twice } = await executable.run({ state, by: scalar(1) });
        await expectValues(context, 'what is read off the old state', twice, [2 * i, 2 * i + 2, 2 * i + 4]);
        twice.dispose();
        claim(before.disposed, 'A donated array is not disposed.');
        await refused('Reading a donated array', 'FM_DISPOSED', () => before.read());
        state = after;
      }
      await expectValues(context, 'the state', state, [5, 6, 7]);
      state.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'donation/once',
    'An array cannot be donated to a run and be another input of it too, nor be donated twice.',
    async ({ backend }) => {
      const executable = await backend.compile(
        trace(({ a, b }) => ({ a: a.add(b), b: b.mul(2) }), pair),
        { aliases: [['a', 'a']] },
      );
      const a = backend.array(vector(1, 2, 3, 4));
      await refused('One array for two inputs', 'FM_GRAPH', () => executable.run({ a, b: a }));
      const [first, second] = await Promise.allSettled([
        executable.run({ a, b: vector(0, 0, 0, 0) }),
        executable.run({ a, b: vector(0, 0, 0, 0) }),
      ]);
      claim(first.status === 'fulfilled' && second.status === 'rejected', 'An array is donated twice.');
      for (const array of Object.values(first.value)) array.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'donation/aliases',
    'Aliases of unknown names, of different types, or of one name twice are refused.',
    async ({ backend }) => {
      const graph = trace(({ a, b }) => ({ next: a.sub(b), size: a.sum() }), pair);
      const wrong = [
        [['x', 'next']],
        [['a', 'x']],
        [['a', 'size']],
        [
          ['a', 'next'],
          ['b', 'next'],
        ],
      ] as const;
      for (const aliases of wrong) {
        await refused(`The alias ${aliases.join(' and ')}`, 'FM_GRAPH', () => backend.compile(graph, { aliases }));
      }
    },
  ),
  lifecycleCase(
    'donation/old values',
    'Outputs written in place are made of the old values of all inputs.',
    async (context) => {
      const sums = trace(({ a, b }) => ({ a: a.add(b), b: a.sub(b) }), pair);
      await expectAfterTwo(context, 'sum and difference', sums, [2, 4, 6, 8], [2, 2, 2, 2]);
    },
  ),
  lifecycleCase('donation/swapped', 'Two states can change places.', async (context) => {
    const swapped = trace(({ a, b }) => ({ a: b, b: a.add(0) }), pair);
    await expectAfterTwo(context, 'swapped', swapped, [1, 2, 3, 4], [1, 1, 1, 1]);
  }),
  lifecycleCase(
    'donation/moved elements',
    'A state is not overwritten while its elements are still read for others.',
    async (context) => {
      const turned = trace(({ a, b }) => ({ a: slice(a, [3], [-5], [-1]).add(b), b }), pair);
      await expectAfterTwo(
        context,
        'turned around',
        turned,
        [3, 4, 5, 6].map((_, i) => i + 3),
        [1, 1, 1, 1],
      );
    },
  ),
];

/** Runs a step twice from a = 1, 2, 3, 4 and b = 1, both donated. */
async function expectAfterTwo(
  context: CaseContext,
  what: string,
  graph: ReturnType<typeof trace>,
  a: readonly number[],
  b: readonly number[],
): Promise<void> {
  const executable = await context.backend.compile(graph, both);
  let state: Record<string, BackendArray> = {
    a: context.backend.array(vector(1, 2, 3, 4)),
    b: context.backend.array(vector(1, 1, 1, 1)),
  };
  for (let i = 0; i < 2; i++) state = await executable.run(state);
  await expectValues(context, `${what}, a`, state['a'], a);
  await expectValues(context, `${what}, b`, state['b'], b);
  for (const array of Object.values(state)) array.dispose();
  await executable.dispose();
}
