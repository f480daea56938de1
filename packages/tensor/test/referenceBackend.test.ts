import { assert } from 'chai';
import type { Backend } from '../src/backend/backend.ts';
import { apply } from '../src/graph/node.ts';
import { trace, f32, u32 } from '../src/graph/trace.ts';
import { randomNormal } from '../src/composites/random.ts';
import { silu } from '../src/composites/activations.ts';
import { hostRandomNormal } from '../src/random/host.ts';
import { gather } from '../src/operators/indexing.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { hostArray, type HostArray } from '../src/tensor/hostArray.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

const vector = (...values: number[]): HostArray => hostArray(values);
const step = trace(({ p, g }) => ({ next: p.sub(g), size: p.square().sum() }), { p: f32([2]), g: f32([2]) });

describe('the reference backend', () => {
  let backend: Backend;
  beforeEach(() => {
    backend = createReferenceBackend();
  });
  afterEach(() => backend.dispose());

  it('runs a graph with composites and random draws', async () => {
    const graph = trace(({ x, key, counter }) => silu(x).add(randomNormal(key, counter, [2])), {
      x: f32([2]),
      key: u32([2]),
      counter: u32([4]),
    });
    const [key, counter] = [Uint32Array.of(1, 2), Uint32Array.of(3, 4, 5, 6)];
    const executable = await backend.compile(graph);
    const { output } = await executable.run({ x: vector(0, 0), key: hostArray(key), counter: hostArray(counter) });
    assert.deepEqual(Float32Array.from(await output.read()), hostRandomNormal(key, counter, [2]).data);
  });

  it('reads floats in f64, unrounded, and takes them in either storage', async () => {
    const executable = await backend.compile(step);
    const p = backend.array({ data: Float64Array.of(0.1, 0.2), shape: [2], dtype: 'f32' });
    const { next, size } = await executable.run({ p, g: vector(0.1, 0.2) });
    assert.deepEqual(await next.read(), Float64Array.of(0.1 - Math.fround(0.1), 0.2 - Math.fround(0.2)));
    assert.deepEqual([size.shape, size.dtype], [[], 'f32']);
  });

  it('keeps its own copy of what it is given and hands out copies', async () => {
    const data = Float64Array.of(1, 2);
    const array = backend.array({ data, shape: [2], dtype: 'f64' });
    data[0] = 100;
    const first = await array.read();
    first[1] = 100;
    assert.deepEqual(await array.read(), Float64Array.of(1, 2));
  });

  it('refuses data that does not fill its shape, or is of another type', () => {
    assert.equal(
      thrownBy(() => backend.array({ data: Float32Array.of(1), shape: [2], dtype: 'f32' })).code,
      'FM_SHAPE',
    );
    assert.equal(
      thrownBy(() => backend.array({ data: Float32Array.of(1), shape: [1], dtype: 'i32' })).code,
      'FM_DTYPE',
    );
  });

  it('takes the array of an aliased input, once', async () => {
    const executable = await backend.compile(step, { aliases: [['p', 'next']] });
    const p = backend.array(vector(3, 4));
    const g = backend.array(vector(1, 1));
    const { next } = await executable.run({ p, g });
    assert.isTrue(p.disposed);
    assert.isFalse(g.disposed);
    const error = await rejectionOf(executable.run({ p, g }));
    assert.equal(error.code, 'FM_DISPOSED');
    assert.equal((await rejectionOf(p.read())).code, 'FM_DISPOSED');
    assert.deepEqual(await next.read(), Float64Array.of(2, 3));
  });

  it('refuses a second run that was asked for before the first one took the array', async () => {
    const executable = await backend.compile(step, { aliases: [['p', 'next']] });
    const p = backend.array(vector(3, 4));
    const g = vector(1, 1);
    const [first, second] = await Promise.allSettled([executable.run({ p, g }), executable.run({ p, g })]);
    assert.equal(first.status, 'fulfilled');
    assert.equal(second.status, 'rejected');
  });

  it('leaves an aliased input readable when the run fails', async () => {
    const picking = trace(({ p, i }) => ({ next: p.add(gather(p, i.cast('i32'))) }), { p: f32([2]), i: f32([2]) });
    const executable = await backend.compile(picking, { aliases: [['p', 'next']] });
    const p = backend.array(vector(3, 4));
    assert.equal((await rejectionOf(executable.run({ p, i: vector(0, 9) }))).code, 'FM_DATA');
    assert.deepEqual(await p.read(), Float64Array.of(3, 4));
    const { next } = await executable.run({ p, i: vector(1, 0) });
    assert.deepEqual(await next.read(), Float64Array.of(7, 7));
  });

  it('runs with a handle that is disposed while the run waits', async () => {
    const executable = await backend.compile(step);
    const p = backend.array(vector(3, 4));
    const running = executable.run({ p, g: vector(0, 0) });
    p.dispose();
    assert.deepEqual(await (await running).next.read(), Float64Array.of(3, 4));
    assert.equal((await rejectionOf(executable.run({ p, g: vector(0, 0) }))).code, 'FM_DISPOSED');
  });

  it('binds inputs', async () => {
    const executable = await backend.compile(step, { aliases: [['p', 'next']] });
    const g = backend.array(vector(1, 2));
    const bound = executable.bind({ g });
    const { next } = await bound.run({ p: vector(3, 4) });
    assert.deepEqual(await next.read(), Float64Array.of(2, 2));
    assert.isFalse(g.disposed);

    assert.equal(thrownBy(() => executable.bind({ p: g })).code, 'FM_GRAPH');
    assert.equal(thrownBy(() => executable.bind({ other: g })).code, 'FM_GRAPH');
    assert.equal(thrownBy(() => executable.bind({ g: backend.array(vector(1)) })).code, 'FM_SHAPE');
    assert.equal((await rejectionOf(bound.run({ p: vector(3, 4), g }))).code, 'FM_GRAPH');
    assert.equal((await rejectionOf(bound.run({}))).code, 'FM_GRAPH');
    g.dispose();
    assert.equal((await rejectionOf(bound.run({ p: vector(3, 4) }))).code, 'FM_DISPOSED');
  });

  it('refuses aliases that join nothing, different types, or one name twice', async () => {
    for (const aliases of [
      [['x', 'next']],
      [['p', 'size']],
      [
        ['p', 'next'],
        ['g', 'next'],
      ],
    ] as const) {
      assert.equal((await rejectionOf(backend.compile(step, { aliases }))).code, 'FM_GRAPH');
    }
  });

  it('refuses a graph with an unknown operator', async () => {
    const graph = trace(({ x }) => apply({ name: 'Frobnicate', infer: ([t]) => [t] }, [x], {})[0], { x: f32([1]) });
    const error = await rejectionOf(backend.compile(graph));
    assert.equal(error.code, 'FM_UNSUPPORTED');
    assert.match(error.message, /Frobnicate[^]*referenceBackend\.test\.ts/);
  });

  it('refuses use after disposal, of an executable and of itself', async () => {
    const inputs = { p: vector(1, 2), g: vector(1, 2) };
    const executable = await backend.compile(step);
    const other = await backend.compile(step);
    const running = executable.run(inputs);
    await executable.dispose();
    await running;
    assert.equal((await rejectionOf(executable.run(inputs))).code, 'FM_DISPOSED');
    assert.equal(thrownBy(() => executable.bind({})).code, 'FM_DISPOSED');
    await other.run(inputs);

    await backend.dispose();
    assert.equal((await rejectionOf(other.run(inputs))).code, 'FM_DISPOSED');
    assert.equal((await rejectionOf(backend.compile(step))).code, 'FM_DISPOSED');
    assert.equal(thrownBy(() => backend.array(vector(1))).code, 'FM_DISPOSED');
  });
});
