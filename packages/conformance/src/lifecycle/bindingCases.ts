import type { ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { increment, inPlace, scalar, vector } from './vectors.ts';

export const bindingCases = (): readonly ConformanceCase[] => [
  lifecycleCase(
    'binding/fixes',
    'Bound arrays stand in for inputs, run after run, and stay the caller’s.',
    async (context) => {
      const executable = await context.backend.compile(increment, inPlace);
      const by = context.backend.array(scalar(2));
      const bound = executable.bind({ by });
      let state = context.backend.array(vector(0, 0, 0));
      for (let i = 0; i < 3; i++) {
        const results = await bound.run({ state });
        results['twice'].dispose();
        state = results['state'];
      }
      await expectValues(context, 'the state', state, [6, 6, 6]);
      const unbound = await executable.run({ state, by: scalar(1) });
      await expectValues(context, 'a run of the executable itself', unbound['state'], [7, 7, 7]);
      for (const array of Object.values(unbound)) array.dispose();
      claim(!by.disposed, 'A bound array was disposed.');
      await expectValues(context, 'the bound array', by, [2]);
      by.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'binding/twice',
    'Each binding of an executable keeps the arrays it was given, whatever else is bound and run in between.',
    async (context) => {
      const executable = await context.backend.compile(increment);
      const arrays = [1, 10, 100].map((by) => context.backend.array(scalar(by)));
      const bindings = arrays.map((by) => executable.bind({ by }));
      const expectRun = async (index: number, state: number): Promise<void> => {
        const results = await bindings[index].run({ state: vector(state, 0, -state) });
        const by = 10 ** index;
        const expected = [state + by, by, by - state];
        await expectValues(context, `a run of binding ${index}`, results['state'], expected);
        for (const array of Object.values(results)) array.dispose();
      };
      for (const [run, index] of [0, 1, 0, 2, 2, 1, 0].entries()) await expectRun(index, run);
      await Promise.all([2, 0, 1].map((index) => expectRun(index, 7)));
      // A second binding after the runs of the first ones, to an array of a disposed binding.
      const again = executable.bind({ by: arrays[2] });
      const unbound = await executable.run({ state: vector(1, 2, 3), by: scalar(5) });
      await expectValues(context, 'a run of the executable itself', unbound['state'], [6, 7, 8]);
      const results = await again.run({ state: vector(1, 2, 3) });
      await expectValues(context, 'a binding made after runs', results['state'], [101, 102, 103]);
      for (const array of [...arrays, ...Object.values(unbound), ...Object.values(results)]) array.dispose();
      for (const binding of [...bindings, again]) await binding.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'binding/refusals',
    'Aliased, unknown and bound inputs, other types and disposed arrays cannot be bound.',
    async ({ backend }) => {
      const executable = await backend.compile(increment, inPlace);
      const [state, by] = [backend.array(vector(1, 2, 3)), backend.array(scalar(1))];
      await refused('Binding an aliased input', 'FM_GRAPH', () => executable.bind({ state }));
      await refused('Binding an unknown input', 'FM_GRAPH', () => executable.bind({ other: by }));
      await refused('Binding another shape', 'FM_SHAPE', () => executable.bind({ by: state }));
      const bound = executable.bind({ by });
      await refused('An input that is bound already', 'FM_GRAPH', () => bound.run({ state, by }));
      await refused('A missing input', 'FM_GRAPH', () => bound.run({}));
      by.dispose();
      await refused('A run with a bound array that was disposed', 'FM_DISPOSED', () => bound.run({ state }));
      state.dispose();
      await executable.dispose();
    },
  ),
];
