import { assert } from 'chai';
import type { Backend, CompileOptions } from '../src/backend/backend.ts';
import { handleBackend } from '../src/backend/handleBackend.ts';
import type { HandleComputation } from '../src/backend/handleComputation.ts';
import { trace, f32 } from '../src/graph/trace.ts';
import { evaluateGraph } from '../src/reference/evaluateGraph.ts';
import { referenceManifest } from '../src/reference/kernels.ts';
import { hostArray, hostScalar, type HostArray } from '../src/tensor/hostArray.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

/** A fresh trace at each call: equal graphs, but other objects. */
const increment = () => trace(({ x, by }) => ({ x: x.add(by) }), { x: f32([2]), by: f32() });
const inPlace: CompileOptions = { aliases: [['x', 'x']] };
const inputs = () => ({ x: hostArray([1, 2]), by: hostScalar(1) });

interface Counts {
  compiled: number;
  disposed: number;
}

/** A backend that counts its compilations and those given back; `fail` makes the next one throw. */
function countingBackend(): { backend: Backend; counts: Counts; fail: () => void } {
  const counts = { compiled: 0, disposed: 0 };
  let failing = false;
  const computation: HandleComputation<HostArray> = {
    name: 'counting',
    device: 'none',
    manifest: referenceManifest,
    memory: counts,
    upload: ({ data, shape, dtype }) => ({ data: data.slice(), shape, dtype }),
    read: async ({ data }) => data.slice(),
    free: () => undefined,
    compile(graph) {
      counts.compiled++;
      if (failing) {
        failing = false;
        throw new Error('out of memory');
      }
      return { run: async (given) => evaluateGraph(graph, given), dispose: () => void counts.disposed++ };
    },
  };
  return { backend: handleBackend(computation), counts, fail: () => (failing = true) };
}

describe('a handle backend', () => {
  it('compiles equal graphs with equal options once, and gives the program back after the last executable', async () => {
    const { backend, counts } = countingBackend();
    const executables = await Promise.all([1, 2, 3].map(() => backend.compile(increment(), inPlace)));
    assert.deepEqual(counts, { compiled: 1, disposed: 0 });
    await executables[0].dispose();
    await executables[0].dispose();
    await executables[1].dispose();
    assert.equal(counts.disposed, 0);
    const { x } = await executables[2].run(inputs());
    assert.deepEqual(Array.from(await x.read()), [2, 3]);
    await executables[2].dispose();
    assert.deepEqual(counts, { compiled: 1, disposed: 1 });
    await (await backend.compile(increment(), inPlace)).dispose();
    assert.deepEqual(counts, { compiled: 2, disposed: 2 });
    await backend.dispose();
  });

  it('compiles separately if a constant, a name or an alias differs', async () => {
    const { backend, counts } = countingBackend();
    const twice = (factor: number) => trace(({ x }) => ({ x: x.mul(factor) }), { x: f32([2]) });
    await backend.compile(increment());
    await backend.compile(increment(), inPlace);
    await backend.compile(twice(2));
    await backend.compile(twice(3));
    await backend.compile(trace(({ x }) => ({ y: x.mul(2) }), { x: f32([2]) }));
    assert.equal(counts.compiled, 5);
    await backend.dispose();
  });

  it('compiles again after a compilation that failed', async () => {
    const { backend, counts, fail } = countingBackend();
    fail();
    const outcomes = await Promise.allSettled([backend.compile(increment()), backend.compile(increment())]);
    assert.equal(outcomes[0].status, 'rejected');
    const executable = await backend.compile(increment());
    const { x } = await executable.run(inputs());
    assert.deepEqual(Array.from(await x.read()), [2, 3]);
    assert.equal(counts.compiled, 2);
    await backend.dispose();
  });

  it('keeps a program for a bound executable that outlives the one it came from', async () => {
    const { backend, counts } = countingBackend();
    const executable = await backend.compile(increment());
    const bound = executable.bind({ by: backend.array(hostScalar(3)) });
    await executable.dispose();
    assert.equal(counts.disposed, 0);
    const { x } = await bound.run({ x: hostArray([1, 2]) });
    assert.deepEqual(Array.from(await x.read()), [4, 5]);
    await bound.dispose();
    assert.equal(counts.disposed, 1);
    await backend.dispose();
  });

  it('gives back all programs when it is disposed', async () => {
    const { backend, counts } = countingBackend();
    const executable = await backend.compile(increment());
    await backend.compile(increment(), inPlace);
    await backend.dispose();
    assert.deepEqual(counts, { compiled: 2, disposed: 2 });
    await executable.dispose();
    assert.equal(counts.disposed, 2);
  });

  it('has no live arrays after disposal', async () => {
    const { backend } = countingBackend();
    const array = backend.array(hostArray([1, 2]));
    await backend.dispose();
    assert.isTrue(array.disposed);
    assert.equal((await rejectionOf(array.read())).code, 'FM_DISPOSED');
    array.dispose();
    assert.equal(thrownBy(() => backend.array(hostArray([1]))).code, 'FM_DISPOSED');
  });
});
