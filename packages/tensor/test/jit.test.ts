import { assert } from 'chai';
import fc from 'fast-check';
import type { Backend, BackendArray, CompileOptions } from '../src/backend/backend.ts';
import { ProgramCache } from '../src/backend/programCache.ts';
import type { Graph } from '../src/graph/graph.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import { f32, i32 } from '../src/graph/trace.ts';
import type { Tree } from '../src/graph/tree.ts';
import { jit } from '../src/jit/jit.ts';
import { TracedProgram } from '../src/jit/tracedProgram.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { hostArray, hostScalar, type HostArray } from '../src/tensor/hostArray.ts';
import type { TensorType } from '../src/tensor/shape.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

/** The tests walk trees themselves, by lists of keys, so that they do not depend on names. */
type Leaf = number;
type Nested = Leaf | readonly Nested[] | { readonly [name: string]: Nested };
type Keys = readonly (string | number)[];

const isNumber = (tree: unknown): tree is number => typeof tree === 'number';

const mapped = (tree: Nested, change: (leaf: Leaf, keys: Keys) => unknown, keys: Keys = []): unknown => {
  if (isNumber(tree)) return change(tree, keys);
  if (Array.isArray(tree)) return tree.map((part: Nested, i) => mapped(part, change, [...keys, i]));
  return Object.fromEntries(Object.entries(tree).map(([name, part]) => [name, mapped(part, change, [...keys, name])]));
};

const leavesOf = (tree: Nested): Keys[] => {
  const leaves: Keys[] = [];
  mapped(tree, (_, keys) => leaves.push(keys));
  return leaves;
};

const partAt = (tree: unknown, keys: Keys): unknown =>
  keys.reduce((part, key) => (part as Record<string | number, unknown>)[key], tree);

/** The tree with another part at `keys`; undefined takes it out. */
const replaced = (tree: unknown, [key, ...rest]: Keys, part: unknown): unknown => {
  if (key === undefined) return part;
  const copy = (Array.isArray(tree) ? [...(tree as unknown[])] : { ...(tree as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, part);
  return copy;
};

const names = ['a', 'b', 'a.b', 'b.a', '.', '', '0', '1', 'shape', 'dtype', 'constructor', 'length'];

/** Trees whose records have names with dots, of digits and of what every object has. */
const anyTrees = fc
  .letrec<{ tree: Nested }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.integer({ min: -99, max: 99 }),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('tree')), { maxLength: 4, selector: ([name]) => name })
        .map((entries) => Object.fromEntries(entries)),
    ),
  }))
  .tree.filter((tree) => leavesOf(tree).length > 0);

/** Whether two leaves have one dotted path; the part called '' has the path of what it is in. */
const isAmbiguous = (tree: Nested): boolean => {
  const paths = leavesOf(tree).map(
    (keys) => keys.reduce<string>((path, key) => (path === '' ? `${key}` : `${path}.${key}`), '') || 'input',
  );
  return new Set(paths).size < paths.length;
};
const trees = anyTrees.filter((tree) => !isAmbiguous(tree));

const hosts = (tree: Nested): Tree<HostArray> => mapped(tree, (leaf) => hostArray([leaf, 1])) as Tree<HostArray>;
const types = (tree: Nested): Tree<TensorType> => mapped(tree, () => f32([2])) as Tree<TensorType>;

/** Each leaf with its own factor, so that leaves that change places are noticed. */
const factor = (keys: Keys, tree: Nested): number =>
  2 + leavesOf(tree).findIndex((each) => each.join('/') === keys.join('/'));
const scaled = (symbols: unknown, tree: Nested): Tree<Tensor> =>
  mapped(tree, (_, keys) => (partAt(symbols, keys) as Tensor).mul(factor(keys, tree))) as Tree<Tensor>;

describe('jit', () => {
  let backend: Backend;
  before(() => {
    backend = createReferenceBackend();
  });
  after(() => backend.dispose());

  const numbersOf = async (tree: Nested, arrays: unknown): Promise<unknown> => {
    const values = new Map<string, number>();
    for (const keys of leavesOf(tree)) {
      const data = await (partAt(arrays, keys) as BackendArray).read();
      values.set(JSON.stringify(keys), data[0]);
    }
    return mapped(tree, (_, keys) => values.get(JSON.stringify(keys)));
  };
  const uploaded = (tree: Nested): Tree<BackendArray> =>
    mapped(tree, (leaf) => backend.array(hostArray([leaf, 1]))) as Tree<BackendArray>;
  const compiled = (tree: Nested) => jit(backend, (given) => scaled(given, tree), types(tree));

  it('runs any nesting, and returns each leaf at its place', () =>
    fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        await using program = await compiled(tree);
        const expected = mapped(tree, (leaf, keys) => leaf * factor(keys, tree));
        assert.deepEqual(await numbersOf(tree, await program.run(hosts(tree))), expected);
        assert.deepEqual(await numbersOf(tree, await program.run(uploaded(tree))), expected);
      }),
      { numRuns: 60 },
    ));

  it('refuses a tree exactly if two of its leaves have one path', () =>
    fc.assert(
      fc.property(anyTrees, anyTrees, (first, second) => {
        for (const tree of [first, { 'a.b': first, a: { b: second } }]) {
          const traced = (): unknown => new TracedProgram((given) => scaled(given, tree), types(tree));
          if (isAmbiguous(tree)) assert.match(thrownBy(traced).message, /^Two parts of a tree have the path '/);
          else traced();
        }
      }),
      { numRuns: 200 },
    ));

  it('passes a single leaf and absent leaves as they are', async () => {
    await using single = await jit(backend, (x) => x.mul(2), f32());
    assert.deepEqual(Array.from(await (await single.run(hostScalar(3))).read()), [6]);
    await using sparse = await jit(backend, ({ x: [, second], y }) => [undefined, second, y] as const, {
      x: [undefined, f32()],
      y: undefined,
    });
    const result = await sparse.run({ x: [undefined, hostScalar(4)], y: undefined });
    assert.deepEqual([result[0], Array.from(await result[1].read()), result[2]], [undefined, [4], undefined]);
  });

  it('donates the arrays at a path, and no others', () =>
    fc.assert(
      fc.asyncProperty(trees, trees, async (state, rest) => {
        let aliases: CompileOptions['aliases'];
        const watched = {
          compile(graph: Graph, options?: CompileOptions) {
            aliases = options?.aliases;
            return backend.compile(graph, options);
          },
        };
        await using program = await jit(
          watched,
          (given) => ({
            kept: { 'the.state': scaled(given.kept['the.state'], state) },
            rest: scaled(given.rest, rest),
          }),
          { kept: { 'the.state': types(state) }, rest: types(rest) },
          { donate: ['kept.the.state'] },
        );
        const given = { kept: { 'the.state': uploaded(state) }, rest: uploaded(rest) };
        const result = await program.run(given);
        const expected = mapped(state, (leaf, keys) => leaf * factor(keys, state));
        assert.deepEqual(await numbersOf(state, result.kept['the.state']), expected);
        for (const keys of leavesOf(state)) {
          assert.isTrue((partAt(given.kept['the.state'], keys) as BackendArray).disposed);
        }
        for (const keys of leavesOf(rest)) assert.isFalse((partAt(given.rest, keys) as BackendArray).disposed);
        assert.equal(aliases?.length, leavesOf(state).length);
        for (const [from, to] of aliases!) assert.equal(from, to);
        // Results can be passed on as they are.
        await program.run({ kept: result.kept, rest: given.rest });
      }),
      { numRuns: 40 },
    ));

  it('refuses to donate what argument and result do not share', () => {
    const refusal = (donate: string[], formula: (given: { a: { b: Tensor }; c: Tensor }) => Tree<Tensor>): string => {
      const error = thrownBy(() => new TracedProgram(formula, { a: { b: f32([2]) }, c: f32([2]) }, { donate }));
      assert.equal(error.code, 'FM_GRAPH');
      return error.message;
    };
    assert.match(
      refusal(['d'], ({ a }) => ({ a })),
      /argument has no 'd'/,
    );
    assert.match(
      refusal(['a.b.c'], ({ a }) => ({ a })),
      /argument has no 'a\.b\.c'/,
    );
    assert.match(
      refusal(['c'], ({ a }) => ({ a })),
      /result has no 'c'/,
    );
    assert.match(
      refusal(['a'], ({ a, c }) => ({ a: { ...a, c } })),
      /'a\.c' is only in the result/,
    );
    assert.match(
      refusal(['a'], ({ c }) => ({ a: { c } })),
      /'a\.b' is only in the argument/,
    );
    assert.match(
      refusal(['a', 'a.b'], ({ a: { b } }) => ({ a: { b: b.sum() } })),
      /'a\.b' is f32\[2\] in the argument and f32\[\] in the result/,
    );
  });

  it('binds any part, and then runs with the rest', () =>
    fc.assert(
      fc.asyncProperty(trees, fc.infiniteStream(fc.boolean()), async (tree, choice) => {
        const choices = leavesOf(tree).map((keys) => [keys, choice.next().value as boolean] as const);
        const chosen = (keys: Keys): boolean => choices.some(([each, is]) => is && each.join('/') === keys.join('/'));
        const expected = mapped(tree, (leaf, keys) => leaf * factor(keys, tree));
        await using program = await compiled(tree);
        const whole = uploaded(tree);
        const part = (wanted: boolean) =>
          mapped(tree, (_, keys) => (chosen(keys) === wanted ? partAt(whole, keys) : undefined)) as never;
        await using bound = program.bind(part(true));
        assert.deepEqual(await numbersOf(tree, await bound.run(part(false))), expected);
        const [first] = choices.find(([, is]) => is) ?? [];
        if (first && first.length > 0) {
          const twice = await rejectionOf(bound.run(whole));
          assert.deepEqual([twice.code, /is bound already/.test(twice.message)], ['FM_GRAPH', true]);
          await using rest = bound.bind(part(false));
          assert.deepEqual(await numbersOf(tree, await rest.run(mapped(tree, () => undefined) as never)), expected);
        }
      }),
      { numRuns: 60 },
    ));

  it('refuses trees of another nesting', () =>
    fc.assert(
      fc.asyncProperty(trees, fc.nat(), async (tree, draw) => {
        await using program = await compiled(tree);
        const leaves = leavesOf(tree);
        const keys = leaves[draw % leaves.length];
        const wrong: unknown[] = [undefined, null, 3, 'text', [hosts(1)], { a: hosts(1) }];
        const variants = wrong.map((part) => replaced(hosts(tree), keys, part));
        // A list for a record and a record for a list, and a leaf more.
        for (let depth = 0; depth < keys.length; depth++) {
          const at = keys.slice(0, depth);
          const parent = partAt(hosts(tree), at) as object;
          variants.push(
            replaced(hosts(tree), at, Array.isArray(parent) ? Object.assign({}, parent) : Object.values(parent)),
            replaced(hosts(tree), [...at, Array.isArray(parent) ? parent.length : 'surplus'], hosts(1)),
            replaced(hosts(tree), at, hosts(1)),
          );
        }
        for (const variant of variants) {
          const { code } = await rejectionOf(program.run(variant as never));
          assert.equal(code, 'FM_GRAPH');
        }
      }),
      { numRuns: 60 },
    ));

  it('names the leaf that is missing, unknown or wrong', async () => {
    await using program = await jit(backend, ({ layers }) => layers, { layers: [{ 'a.b': f32([2]) }] });
    const told = async (given: unknown): Promise<[string, string]> => {
      const { code, message } = await rejectionOf(program.run(given as never));
      return [code, message];
    };
    const [right, long] = [hostArray([1, 2]), hostArray([1, 2, 3])];
    for (const [given, code, text] of [
      [{ layers: [{}] }, 'FM_GRAPH', "The input 'layers.0.a.b' is missing."],
      [{ layers: [{ 'a.b': right, a: { b: right } }] }, 'FM_GRAPH', "There is no input 'layers.0.a'."],
      [{ layers: { 0: { 'a.b': right } } }, 'FM_GRAPH', "The input 'layers' is a record."],
      [{ layers: [{ 'a.b': 3 }] }, 'FM_GRAPH', "The input 'layers.0.a.b' is a number."],
      [{ layers: [{ 'a.b': long }] }, 'FM_SHAPE', "'layers.0.a.b'"],
      [{ layers: [{ 'a.b': hostArray(Int32Array.of(1, 2)) }] }, 'FM_DTYPE', "'layers.0.a.b'"],
    ] as const) {
      const [actualCode, message] = await told(given);
      assert.equal(actualCode, code);
      assert.include(message, text);
    }
    assert.equal(thrownBy(() => program.bind({ layers: [{ a: right }] } as never)).code, 'FM_GRAPH');
    assert.equal(thrownBy(() => program.bind({ layers: [{ 'a.b': backend.array(long) }] })).code, 'FM_SHAPE');
  });

  it('refuses types and results that are no trees', () => {
    assert.equal(thrownBy(() => new TracedProgram((x) => x, { a: null } as never)).code, 'FM_GRAPH');
    assert.match(thrownBy(() => new TracedProgram((x) => x, { a: [3] } as never)).message, /a\.0 is a number/);
    assert.match(
      thrownBy(() => new TracedProgram(({ a }) => ({ a, loss: 'none' }) as never, { a: f32() })).message,
      /loss is a string/,
    );
  });

  it('compiles equal graphs once, and gives each program the nesting of its own formula', async () => {
    let compilations = 0;
    const counted = {
      compile(graph: Graph, options?: CompileOptions) {
        compilations++;
        return backend.compile(graph, options);
      },
    };
    const cache = new ProgramCache(counted, 2);
    const ofList = await jit(cache, ([x]) => [x.mul(2)], [f32()] as const);
    const ofRecord = await jit(cache, ({ 0: x }) => ({ 0: x.mul(2) }), { 0: f32() });
    assert.equal(compilations, 1);
    assert.isArray(await ofList.run([hostScalar(1)]));
    assert.isNotArray(await ofRecord.run({ 0: hostScalar(1) }));
    // Other types, values that a formula closes over, and donations are other programs.
    await (await jit(cache, ([x]) => [x.mul(2)], [i32()] as const)).dispose();
    await (await jit(cache, ([x]) => [x.mul(3)], [f32()] as const)).dispose();
    await (await jit(cache, ([x]) => [x.mul(2)], [f32()] as const, { donate: ['0'] })).dispose();
    assert.equal(compilations, 4);
    await ofList.dispose();
    await ofRecord.dispose();
    assert.equal(cache.size, 2);
    await cache.dispose();
  });

  it('traces once for many compilations', async () => {
    let traces = 0;
    const traced = new TracedProgram(
      ({ x }) => {
        traces++;
        return { y: x.add(1) };
      },
      { x: f32() },
    );
    assert.deepEqual(traced.result.y.shape, []);
    for (let i = 0; i < 2; i++) {
      await using program = await traced.compile(backend);
      assert.deepEqual(Array.from(await (await program.run({ x: hostScalar(i) })).y.read()), [i + 1]);
    }
    assert.equal(traces, 1);
  });

  it('knows the types of arguments, results and what is left after a bind', async () => {
    await using program = await jit(
      backend,
      ({ state, x }) => ({ state: { sum: state.sum.add(x) }, losses: [x] as const }),
      { state: { sum: f32([2]), scale: f32() }, x: f32([2]) },
    );
    const sum = backend.array(hostArray([1, 2]));
    const scale = backend.array(hostScalar(1));
    const result = await program.run({ state: { sum, scale }, x: hostArray([1, 1]) });
    const numbers: BackendArray[] = [result.state.sum, result.losses[0]];
    assert.lengthOf(numbers, 2);
    const partly = program.bind({ state: { scale } });
    await partly.run({ state: { sum }, x: hostArray([1, 1]) });
    const wholly = program.bind({ state: { sum, scale } });
    await wholly.run({ x: hostArray([1, 1]) });
    // @ts-expect-error x is missing
    await rejectionOf(program.run({ state: { sum, scale } }));
    // @ts-expect-error there is no y
    await rejectionOf(wholly.run({ x: hostArray([1, 1]), y: sum }));
    // @ts-expect-error sum is left to give
    await rejectionOf(partly.run({ x: hostArray([1, 1]) }));
    // @ts-expect-error the result has no loss
    assert.isUndefined(result.loss);
  });

  it('ends when it is disposed, and the programs bound from it do not', async () => {
    const program = await jit(backend, ({ a, b }) => ({ sum: a.add(b) }), { a: f32(), b: f32() });
    const bound = program.bind({ a: backend.array(hostScalar(1)) });
    await program.dispose();
    assert.equal((await rejectionOf(program.run({ a: hostScalar(1), b: hostScalar(2) }))).code, 'FM_DISPOSED');
    assert.deepEqual(Array.from(await (await bound.run({ b: hostScalar(2) })).sum.read()), [3]);
    await bound.dispose();
  });
});
