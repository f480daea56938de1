import type { ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { increment, incrementTraced, scalar, vector } from './vectors.ts';

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
  lifecycleCase(
    'disposal/shared',
    'An executable of an equal graph goes on when another one is disposed, and so does one with bound inputs.',
    async (context) => {
      const { backend } = context;
      const [first, second] = await Promise.all([
        backend.compile(incrementTraced()),
        backend.compile(incrementTraced()),
      ]);
      const by = backend.array(scalar(2));
      const bound = first.bind({ by });
      await first.dispose();
      const [third, other] = await Promise.all([
        backend.compile(incrementTraced()),
        backend.compile(incrementTraced({ factor: 3 })),
      ]);
      for (const [what, run, expected] of [
        ['the other executable', second.run(inputs()), [2, 4, 6]],
        ['the bound executable', bound.run({ state: vector(1, 2, 3) }), [2, 4, 6]],
        ['an executable made afterwards', third.run(inputs()), [2, 4, 6]],
        ['an executable of another constant', other.run(inputs()), [3, 6, 9]],
      ] as const) {
        const results = await run;
        await expectValues(context, what, results['twice'], [...expected]);
        for (const array of Object.values(results)) array.dispose();
      }
      for (const executable of [second, bound, third, other]) await executable.dispose();
      by.dispose();
    },
  ),
  lifecycleCase(
    'disposal/arrays of a backend',
    'Arrays of a disposed backend say that they are disposed and cannot be read; disposing them is harmless.',
    async ({ create }) => {
      const backend = await create();
      const executable = await backend.compile(increment);
      const results = Object.values(await executable.run(inputs()));
      const arrays = [
        backend.array(vector(1, 2)),
        backend.array({ data: new Float32Array(), shape: [0], dtype: 'f32' }),
      ];
      await backend.dispose();
      for (const array of [...arrays, ...results]) {
        claim(array.disposed, 'An array of a disposed backend does not say that it is disposed.');
        await refused('Reading an array of a disposed backend', 'FM_DISPOSED', () => array.read());
        array.dispose();
      }
      await executable.dispose();
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
