import type { BackendArray } from '@flow-matching/tensor';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { increment, inPlace, scalar, vector } from './vectors.ts';

export const concurrencyCases = (): readonly ConformanceCase[] => [
  lifecycleCase(
    'concurrency/runs',
    'Runs that are asked for at once are queued and keep their inputs apart.',
    async (context) => {
      const executable = await context.backend.compile(increment);
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => executable.run({ state: vector(i, i, i), by: scalar(i) })),
      );
      for (const [i, { state, twice }] of results.entries()) {
        await expectValues(context, `run ${i}`, state, [2 * i, 2 * i, 2 * i]);
        state.dispose();
        twice.dispose();
      }
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'concurrency/disposal',
    'An array may be disposed while a run that was given it waits.',
    async (context) => {
      const executable = await context.backend.compile(increment);
      const state = context.backend.array(vector(4, 5, 6));
      const runs = [1, 2].map((by) => executable.run({ state, by: scalar(by) }));
      state.dispose();
      // Its memory must not be reused before both runs have read it.
      const other = context.backend.array(vector(-1, -1, -1));
      const [a, b] = await Promise.all(runs);
      await expectValues(context, 'the first run', a['state'], [5, 6, 7]);
      await expectValues(context, 'the second run', b['state'], [6, 7, 8]);
      for (const array of [other, ...Object.values(a), ...Object.values(b)]) array.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'concurrency/reading',
    'Reading an array waits for nothing but the run that makes it, and sees whole results.',
    async (context) => {
      const executable = await context.backend.compile(increment, inPlace);
      let state: BackendArray = context.backend.array(vector(0, 0, 0));
      const reads: Promise<void>[] = [];
      for (let i = 1; i <= 4; i++) {
        const results = await executable.run({ state, by: scalar(1) });
        state = results['state'];
        reads.push(expectValues(context, `what is read off step ${i}`, results['twice'], Array(3).fill(2 * (i - 1))));
      }
      await Promise.all(reads);
      await expectValues(context, 'the last state', state, [4, 4, 4]);
      state.dispose();
      await executable.dispose();
    },
  ),
];
