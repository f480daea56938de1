import { assert } from 'chai';
import type { Backend, CompileOptions, Executable } from '../src/backend/backend.ts';
import { ProgramCache } from '../src/backend/programCache.ts';
import type { Graph } from '../src/graph/graph.ts';
import { f32, trace } from '../src/graph/trace.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { hostArray, hostScalar } from '../src/tensor/hostArray.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

/** A fresh trace at each call. */
const multiple = (factor: number): Graph =>
  trace(({ x, by }) => ({ x: x.mul(factor).add(by) }), { x: f32([2]), by: f32() });

describe('a cache of programs', () => {
  let backend: Backend;
  let events: string[];
  /** Logs what is compiled, bound and disposed. */
  const watched: Pick<Backend, 'compile'> = {
    async compile(graph: Graph, options?: CompileOptions): Promise<Executable> {
      events.push('compile');
      return watch(await backend.compile(graph, options), 'dispose');
    },
  };
  const watch = (executable: Executable, disposal: string): Executable => ({
    graph: executable.graph,
    run: (inputs) => executable.run(inputs),
    bind(arrays) {
      events.push('bind');
      return watch(executable.bind(arrays), 'dispose bound');
    },
    dispose() {
      events.push(disposal);
      return executable.dispose();
    },
  });
  const count = (event: string): number => events.filter((each) => each === event).length;
  const times = async (executable: Executable): Promise<number[]> => {
    const { x } = await executable.run({ x: hostArray([1, 2]), by: hostScalar(0) });
    return Array.from(await x.read());
  };

  beforeEach(() => {
    backend = createReferenceBackend();
    events = [];
  });
  afterEach(() => backend.dispose());

  it('compiles equal graphs once, for callers at the same time and one after another', async () => {
    const cache = new ProgramCache(watched);
    const leases = await Promise.all([cache.compile(multiple(2)), cache.compile(multiple(2))]);
    for (const lease of leases) await lease.dispose();
    const again = await cache.compile(multiple(2));
    assert.deepEqual(await times(again), [2, 4]);
    assert.deepEqual(events, ['compile']);
    await cache.dispose();
    assert.deepEqual(events, ['compile', 'dispose']);
  });

  it('compiles apart graphs that differ in a constant, and equal graphs with other aliases', async () => {
    const cache = new ProgramCache(watched);
    const [two, three] = [await cache.compile(multiple(2)), await cache.compile(multiple(3))];
    await cache.compile(multiple(2), { aliases: [['x', 'x']] });
    assert.deepEqual(
      [await times(two), await times(three)],
      [
        [2, 4],
        [3, 6],
      ],
    );
    assert.equal(count('compile'), 3);
    await cache.dispose();
  });

  it('keeps as many as its capacity, and disposes the least recently used', async () => {
    const cache = new ProgramCache(watched, 3);
    for (const factor of [1, 2, 3, 1, 4]) await (await cache.compile(multiple(factor))).dispose();
    assert.equal(cache.size, 3);
    assert.deepEqual([count('compile'), count('dispose')], [4, 1]);
    // The one that went was 2, which nobody had used for longest.
    await (await cache.compile(multiple(1))).dispose();
    assert.equal(count('compile'), 4);
    await (await cache.compile(multiple(2))).dispose();
    assert.equal(count('compile'), 5);
    await cache.dispose();
    assert.equal(count('dispose'), 5);
  });

  it('never disposes what is in use, and is within its capacity again afterwards', async () => {
    const cache = new ProgramCache(watched, 2);
    const leases = await Promise.all([1, 2, 3, 4, 5].map((factor) => cache.compile(multiple(factor))));
    assert.equal(count('dispose'), 0);
    for (const [i, lease] of leases.entries()) assert.deepEqual(await times(lease), [i + 1, 2 * (i + 1)]);
    for (const lease of leases) await lease.dispose();
    assert.equal(cache.size, 2);
    assert.equal(count('dispose'), 3);
    await cache.dispose();
  });

  it('stays within its capacity over a thousand different graphs', async () => {
    const cache = new ProgramCache(watched, 8);
    for (let factor = 0; factor < 1000; factor++) {
      const lease = await cache.compile(multiple(factor));
      await lease.dispose();
      assert.isAtMost(count('compile') - count('dispose'), 8);
    }
    await cache.dispose();
    assert.equal(count('dispose'), 1000);
  });

  it('forgets a compilation that failed', async () => {
    let failing = true;
    const cache = new ProgramCache({
      compile(graph) {
        if (!failing) return watched.compile(graph);
        failing = false;
        return Promise.reject(new Error('out of memory'));
      },
    });
    const outcomes = await Promise.allSettled([cache.compile(multiple(2)), cache.compile(multiple(2))]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.deepEqual(await times(await cache.compile(multiple(2))), [2, 4]);
    await cache.dispose();
  });

  it('binds once for the same arrays, and lets go of earlier ones', async () => {
    const cache = new ProgramCache(watched, 2);
    const bindAndRun = async (by: ReturnType<Backend['array']>): Promise<number> => {
      const lease = await cache.compile(multiple(2));
      const bound = lease.bind({ by });
      await lease.dispose();
      const { x } = await bound.run({ x: hostArray([1, 2]) });
      await bound.dispose();
      return (await x.read())[0];
    };
    const [one, ten] = [backend.array(hostScalar(1)), backend.array(hostScalar(10))];
    assert.deepEqual([await bindAndRun(one), await bindAndRun(one)], [3, 3]);
    assert.deepEqual(events, ['compile', 'bind']);
    assert.deepEqual([await bindAndRun(ten), await bindAndRun(one)], [12, 3]);
    assert.deepEqual([count('bind'), count('dispose bound')], [3, 2]);
    await cache.dispose();
    assert.deepEqual([count('bind'), count('dispose bound')], [3, 3]);
  });

  it('does not evict the executable of a bound one in use', async () => {
    const cache = new ProgramCache(watched, 1);
    const lease = await cache.compile(multiple(2));
    const bound = lease.bind({ by: backend.array(hostScalar(1)) });
    await lease.dispose();
    await (await cache.compile(multiple(3))).dispose();
    assert.deepEqual([count('dispose'), count('dispose bound')], [1, 0]);
    const { x } = await bound.run({ x: hostArray([1, 2]) });
    assert.deepEqual(Array.from(await x.read()), [3, 5]);
    await cache.dispose();
  });

  it('hands out executables that end when they are disposed', async () => {
    const cache = new ProgramCache(watched);
    const lease = await cache.compile(multiple(2));
    await lease.dispose();
    await lease.dispose();
    assert.equal((await rejectionOf(times(lease))).code, 'FM_DISPOSED');
    assert.equal(thrownBy(() => lease.bind({})).code, 'FM_DISPOSED');
    const live = await cache.compile(multiple(2));
    await cache.dispose();
    assert.equal((await rejectionOf(times(live))).code, 'FM_DISPOSED');
  });
});
