import { onnx } from '@flow-matching/backend-onnx';
import {
  bool,
  evaluateGraph,
  f32,
  GraphError,
  hostArray,
  less,
  trace,
  where,
  type Backend,
  type Tensor,
} from '@flow-matching/tensor';
import { expect } from 'chai';

describe('a step that is kept or dropped as a whole', () => {
  const graph = trace(
    ({ a, b, count, ok }) => ({
      a: where(ok, a.add(1), a),
      b: where(ok, b.mul(0).div(0), b),
      count: count.add(1),
      sum: a.sum(),
    }),
    { a: f32([3]), b: f32([3]), count: f32([]), ok: bool([]) },
  );
  const aliases = [
    ['a', 'a'],
    ['b', 'b'],
    ['count', 'count'],
  ] as const;
  const ok = (value: 0 | 1) => hostArray(Uint8Array.of(value), []);
  let backend: Backend;
  before(() => {
    backend = onnx({ threads: 1 });
  });
  after(() => backend.dispose());

  it('is dropped by keeping its guarded input arrays, and only those', async () => {
    const executable = await backend.compile(graph, { aliases });
    let state = {
      a: backend.array(hostArray([1, 2, 3])),
      b: backend.array(hostArray([4, 5, 6])),
      count: backend.array(hostArray([0], [])),
    };
    for (const value of [0, 1, 0, 0] as const) {
      const { a, b, count, sum, ...rest } = await executable.run({ ...state, ok: ok(value) });
      expect(rest).to.deep.equal({});
      expect(state.a.disposed).to.equal(true);
      sum.dispose();
      state = { a, b, count };
    }
    expect(Array.from(await state.a.read())).to.deep.equal([2, 3, 4]);
    expect(Array.from(await state.b.read())).to.deep.equal([NaN, NaN, NaN]);
    expect(Array.from(await state.count.read())).to.deep.equal([4]);
    await executable.dispose();
  });

  it('keeps host arrays too', async () => {
    const executable = await backend.compile(graph, { aliases });
    const given = hostArray([1, 2, 3]);
    const { a } = await executable.run({ a: given, b: hostArray([4, 5, 6]), count: hostArray([0], []), ok: ok(0) });
    given.data[0] = 99;
    expect(Array.from(await a.read())).to.deep.equal([1, 2, 3]);
    await executable.dispose();
  });

  it('refuses one array for two donated inputs', async () => {
    const executable = await backend.compile(graph, { aliases });
    const shared = backend.array(hostArray([1, 2, 3]));
    const failure = await executable
      .run({ a: shared, b: shared, count: hostArray([0], []), ok: ok(1) })
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(GraphError);
    expect(shared.disposed).to.equal(false);
    await executable.dispose();
  });

  it('is computed if nothing is aliased', async () => {
    const executable = await backend.compile(graph);
    const { a } = await executable.run({
      a: hostArray([1, 2, 3]),
      b: hostArray([4, 5, 6]),
      count: hostArray([0], []),
      ok: ok(0),
    });
    expect(Array.from(await a.read())).to.deep.equal([1, 2, 3]);
    await executable.dispose();
  });

  type State = Record<'a' | 'b' | 'ok' | 'other', Tensor>;
  const nearMisses: Readonly<Record<string, (given: State) => { a: Tensor; b: Tensor }>> = {
    'the old array where the condition holds': ({ a, b, ok }) => ({
      a: where(ok, a, a.add(1)),
      b: where(ok, b, b.mul(2)),
    }),
    'the other old array': ({ a, b, ok }) => ({ a: where(ok, a.add(1), b), b: where(ok, b.mul(2), a) }),
    'a condition of its own for each': ({ a, b, ok, other }) => ({
      a: where(ok, a.add(1), a),
      b: where(other, b.mul(2), b),
    }),
    'a single number where the condition holds': ({ a, b, ok }) => ({
      a: where(ok, a.sum(), a),
      b: where(ok, b.mul(2), b),
    }),
    'a condition for each element': ({ a, b, ok }) => ({
      a: where(less(a, b), a.add(1), a),
      b: where(ok, b.mul(2), b),
    }),
    'one of them by no condition': ({ a, b, ok }) => ({ a: a.add(b), b: where(ok, b.add(a), b) }),
    'a multiple of the old array': ({ a, b, ok }) => ({ a: where(ok, a.add(1), a.mul(3)), b: where(ok, b.mul(2), b) }),
  };
  for (const [what, formula] of Object.entries(nearMisses))
    it(`is told from ${what}`, async () => {
      const types = { a: f32([3]), b: f32([3]), ok: bool([]), other: bool([]) };
      const mixed = trace(formula, types);
      const executable = await backend.compile(mixed, { aliases: aliases.slice(0, 2) });
      for (const [first, second] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        const given = { a: hostArray([1, -2, 3]), b: hostArray([4, -5, 0]), ok: ok(first), other: ok(second) };
        const expected = evaluateGraph(mixed, given);
        const actual = await executable.run({ ...given, a: backend.array(given.a), b: backend.array(given.b) });
        for (const name of ['a', 'b'])
          expect(Array.from(await actual[name].read()), `${name} of ${first}, ${second}`).to.deep.equal(
            Array.from(expected[name].data),
          );
      }
      await executable.dispose();
    });
});
