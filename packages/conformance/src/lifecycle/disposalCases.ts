import type { ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { increment, scalar, vector } from './vectors.ts';

const inputs = () => ({ state: vector(1, 2, 3), by: scalar(1) });

export const disposalCases = (): readonly ConformanceCase[] => [
  lifecycleCase(
    'disposal/executable',
    'A disposed executable ends the runs it has and takes no more.',
    async (context) => {
      const executable = await context.backend.compile(increment);
      const running = executable.run(inputs());
      await executable.dispose();
      const results = await running;
      await expectValues(context, 'a run under way', results['state'], [2, 3, 4]);
      for (const array of Object.values(results)) array.dispose();
      await refused('A run of a disposed executable', 'FM_DISPOSED', () => executable.run(inputs()));
      await refused('Binding to a disposed executable', 'FM_DISPOSED', () => executable.bind({}));
    },
  ),
  lifecycleCase(
    'disposal/backend',
    'A disposed backend takes no arrays, graphs or runs; disposing twice is harmless.',
    async ({ create }) => {
      const backend = await create();
      const executable = await backend.compile(increment);
      await backend.dispose();
      await backend.dispose();
      await refused('A run', 'FM_DISPOSED', () => executable.run(inputs()));
      await refused('A compilation', 'FM_DISPOSED', () => backend.compile(increment));
      await refused('An array', 'FM_DISPOSED', () => backend.array(vector(1)));
    },
  ),
  lifecycleCase('disposal/isolated', 'Disposing one backend leaves another one of its kind alone.', async (context) => {
    const other = await context.create();
    await other.dispose();
    const executable = await context.backend.compile(increment);
    const results = await executable.run(inputs());
    await expectValues(context, 'a run on the other one', results['state'], [2, 3, 4]);
    for (const array of Object.values(results)) array.dispose();
    await executable.dispose();
  }),
  lifecycleCase('disposal/using', 'A backend can be disposed by `await using`.', async ({ create }) => {
    const backend = await create();
    claim(typeof backend[Symbol.asyncDispose] === 'function', 'There is no Symbol.asyncDispose.');
    await backend[Symbol.asyncDispose]();
    await refused('An array', 'FM_DISPOSED', () => backend.array(vector(1)));
  }),
];
