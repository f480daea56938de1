import {
  constant,
  f32,
  gather,
  hostArray,
  i32,
  LostError,
  trace,
  zeros,
  type BackendArray,
} from '@flow-matching/tensor';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { refused } from './refused.ts';
import { increment, inPlace, scalar, vector } from './vectors.ts';

export const runCases = (): readonly ConformanceCase[] => [
  lifecycleCase(
    'runs/inputs',
    'A run takes arrays of the backend and host arrays alike, and leaves both alone.',
    async (context) => {
      const executable = await context.backend.compile(increment);
      const [state, by] = [context.backend.array(vector(1, 2, 3)), scalar(4)];
      for (const given of [state, vector(1, 2, 3)]) {
        const results = await executable.run({ state: given, by });
        await expectValues(context, 'state', results['state'], [5, 6, 7]);
        await expectValues(context, 'twice', results['twice'], [2, 4, 6]);
        for (const array of Object.values(results)) array.dispose();
      }
      await expectValues(context, 'the input', state, [1, 2, 3]);
      claim(by.data[0] === 4, 'A host array was written to.');
      state.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/outputs',
    'Inputs, constants, empty tensors and one value under two names can be outputs; each is an array of its own.',
    async (context) => {
      const graph = trace(
        ({ x }) => {
          const y = x.add(1);
          return { x, y, again: y, known: constant([7, 8]), empty: zeros([0, 2]) };
        },
        { x: f32([2]), unused: f32([5]) },
      );
      const executable = await context.backend.compile(graph);
      const x = context.backend.array(vector(1, 2));
      const results = await executable.run({ x, unused: vector(0, 0, 0, 0, 0) });
      claim(Object.keys(results).toSorted().join() === 'again,empty,known,x,y', 'The run returns other outputs.', {
        actual: Object.keys(results),
      });
      x.dispose();
      results['y'].dispose();
      await expectValues(context, 'an input as output', results['x'], [1, 2]);
      await expectValues(context, 'a value under a second name', results['again'], [2, 3]);
      await expectValues(context, 'a constant', results['known'], [7, 8]);
      await expectValues(context, 'an empty tensor', results['empty'], []);
      for (const array of Object.values(results)) array.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/many arrays',
    'A run takes forty inputs and gives forty outputs: more than a kernel can bind, as trainings have.',
    async (context) => {
      const names = Array.from({ length: 40 }, (_, i) => `x${i}`);
      const graph = trace(
        (inputs) => {
          const total = names.map((name) => inputs[name]).reduce((sum, x) => sum.add(x));
          return { ...Object.fromEntries(names.map((name, i) => [name, inputs[name].mul(i)])), total };
        },
        Object.fromEntries(names.map((name) => [name, f32([2])])) as Record<string, ReturnType<typeof f32>>,
      );
      const executable = await context.backend.compile(graph);
      const results = await executable.run(Object.fromEntries(names.map((name, i) => [name, vector(i, 1)])));
      await expectValues(context, 'the sum of all', results['total'], [780, 40]);
      for (const [i, name] of names.entries()) await expectValues(context, name, results[name], [i * i, i]);
      for (const array of Object.values(results)) array.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/refusals',
    'Missing and unknown inputs, other types, foreign and disposed arrays are refused, each with its code.',
    async ({ backend }) => {
      const executable = await backend.compile(increment);
      const [state, by] = [vector(1, 2, 3), scalar(1)];
      await refused('A missing input', 'FM_GRAPH', () => executable.run({ state }));
      await refused('An unknown input', 'FM_GRAPH', () => executable.run({ state, by, more: by }));
      await refused('An input of another shape', 'FM_SHAPE', () => executable.run({ state: vector(1, 2), by }));
      await refused('An input of another dtype', 'FM_DTYPE', () =>
        executable.run({ state: hostArray([1, 2, 3], [3], 'i32'), by }),
      );
      await refused('An array of another backend', 'FM_GRAPH', () => executable.run({ state: mismatch(), by }));
      const dead = backend.array(state);
      dead.dispose();
      await refused('A disposed array', 'FM_DISPOSED', () => executable.run({ state: dead, by }));
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/after a failure',
    'A run that is refused leaves the arrays that were to be donated as they were.',
    async (context) => {
      const executable = await context.backend.compile(increment, inPlace);
      const state = context.backend.array(vector(1, 2, 3));
      await refused('An input of another shape', 'FM_SHAPE', () => executable.run({ state, by: vector(1, 2) }));
      claim(!state.disposed, 'The array was taken by a run that failed.');
      await expectValues(context, 'the state', state, [1, 2, 3]);
      const results = await executable.run({ state, by: scalar(1) });
      await expectValues(context, 'the next state', results['state'], [2, 3, 4]);
      for (const array of Object.values(results)) array.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/a failed run',
    'After a run that failed, the array that was to be donated holds its old elements, or is lost and says so; other inputs are as they were.',
    async (context) => {
      const graph = trace(({ state, at }) => ({ state: state.add(gather(state, at)) }), {
        state: f32([3]),
        at: i32([3]),
      });
      const executable = await context.backend.compile(graph, inPlace);
      const state = context.backend.array(vector(1, 2, 3));
      const at = context.backend.array(hostArray(Int32Array.of(0, 1, 1_000_000)));
      // Backends that do not check indices succeed.
      const outcome = await executable.run({ state, at }).catch(() => undefined);
      if (outcome) {
        claim(state.disposed, 'A donated array is not disposed.');
        for (const array of Object.values(outcome)) array.dispose();
      } else {
        claim(!state.disposed, 'The array counts as disposed after a run that failed.');
        const data = await state.read().catch((error: unknown) => {
          if (error instanceof LostError) return undefined;
          throw error;
        });
        if (data) await expectValues(context, 'the state', state, [1, 2, 3]);
        else await refused('A run with a lost array', 'FM_LOST', () => executable.run({ state, at }));
      }
      await expectValues(context, 'the other input', at, [0, 1, 1_000_000]);
      for (const array of [state, at]) array.dispose();
      const { state: next } = await executable.run({ state: vector(1, 2, 3), at: hostArray(Int32Array.of(0, 1, 2)) });
      await expectValues(context, 'a run afterwards', next, [2, 4, 6]);
      next.dispose();
      await executable.dispose();
    },
  ),
  lifecycleCase(
    'runs/equal graphs',
    'Graphs that are equal can be compiled, run and disposed apart from each other.',
    async (context) => {
      const [first, second] = await Promise.all([
        context.backend.compile(increment),
        context.backend.compile(increment),
      ]);
      await first.dispose();
      await first.dispose();
      const results = await second.run({ state: vector(1, 2, 3), by: scalar(1) });
      await expectValues(context, 'state', results['state'], [2, 3, 4]);
      for (const array of Object.values(results)) array.dispose();
      await second.dispose();
    },
  ),
];

/** Looks like an array, but belongs to no backend. */
const mismatch = (): BackendArray => ({
  shape: [3],
  dtype: 'f32',
  disposed: false,
  read: async () => Float32Array.of(1, 2, 3),
  dispose: () => undefined,
});
