import { assert } from 'chai';
import { flattenTree, mapTree, mapTrees, type Tree } from '../src/graph/tree.ts';
import { toStorage } from '../src/tensor/dtype.ts';
import { hostArray, hostScalar, type HostArray } from '../src/tensor/hostArray.ts';
import { broadcastShapes, normalizeAxes, stridesOf } from '../src/tensor/shape.ts';
import { thrownBy } from './support/thrownBy.ts';

describe('host arrays', () => {
  it('keep typed arrays and copy lists of numbers', () => {
    const data = Float64Array.of(1, 2);
    assert.strictEqual(hostArray(data).data, data);
    assert.deepEqual(hostArray([1.5, 2], [2, 1], 'i32'), { data: Int32Array.of(1, 2), shape: [2, 1], dtype: 'i32' });
    assert.deepEqual(hostScalar(3), { data: Float32Array.of(3), shape: [], dtype: 'f32' });
  });

  it('take their dtype from the data', () => {
    const dtypes = [[1], Float64Array.of(1), Int32Array.of(1), Uint32Array.of(1), Uint8Array.of(1)].map(
      (data) => hostArray(data).dtype,
    );
    assert.deepEqual(dtypes, ['f32', 'f64', 'i32', 'u32', 'bool']);
  });

  it('refuse data that does not fit', () => {
    assert.equal(thrownBy(() => hostArray([1, 2], [3])).code, 'FM_SHAPE');
    assert.equal(thrownBy(() => hostArray([1, 2], [-2])).code, 'FM_SHAPE');
    assert.equal(thrownBy(() => hostArray([1, 2], [2.5])).code, 'FM_SHAPE');
    assert.equal(thrownBy(() => hostArray(Float64Array.of(1), [1], 'f32')).code, 'FM_DTYPE');
  });

  it('convert numbers to storage', () => {
    assert.deepEqual(toStorage([0, 2, -1, true, false], 'bool'), Uint8Array.of(0, 1, 1, 1, 0));
    assert.deepEqual(toStorage([-1.9, 2 ** 32 + 1], 'i32'), Int32Array.of(-1, 1));
    assert.deepEqual(toStorage([0.1], 'f32'), Float32Array.of(0.1));
  });
});

describe('shapes', () => {
  it('broadcast from the last axis', () => {
    assert.deepEqual(broadcastShapes([3, 1], [4]), [3, 4]);
    assert.deepEqual(broadcastShapes([], [2, 1], [1, 0]), [2, 0]);
    assert.deepEqual(broadcastShapes(), []);
    const error = thrownBy(() => broadcastShapes([2, 3], [2, 4]));
    assert.match(error.message, /\[2, 3\] and \[2, 4\] do not broadcast: axis -1 has extents 3 and 4/);
  });

  it('count axes from either end, sorted', () => {
    assert.deepEqual(normalizeAxes([-1, 0], 3), [0, 2]);
    assert.deepEqual(normalizeAxes(undefined, 2), [0, 1]);
    assert.deepEqual(normalizeAxes(-2, 2), [0]);
    for (const axes of [[2], [-3], [0.5], [0, -2]])
      assert.equal(thrownBy(() => normalizeAxes(axes, 2)).code, 'FM_OPTION');
  });

  it('have row-major strides', () => assert.deepEqual(stridesOf([2, 3, 4]), [12, 4, 1]));
});

describe('trees', () => {
  const tree = {
    layers: [{ weight: hostScalar(1), bias: undefined }, { weight: hostScalar(2) }],
    scale: hostScalar(3),
  };

  it('are listed by path, in the order written, without what is absent', () => {
    assert.deepEqual(
      flattenTree(tree).map(([name]) => name),
      ['layers.0.weight', 'layers.1.weight', 'scale'],
    );
    assert.deepEqual(flattenTree(hostScalar(1), 'loss')[0][0], 'loss');
  });

  it('may have names with dots, but no two leaves of one path', () => {
    const leaf = hostScalar(1);
    assert.deepEqual(
      flattenTree({ 'a.b': { c: leaf }, a: { b: [leaf] } }).map(([name]) => name),
      ['a.b.c', 'a.b.0'],
    );
    for (const ambiguous of [
      { 'a.b': leaf, a: { b: leaf } },
      { 'a.0': leaf, a: [leaf] },
      { '': { a: leaf }, a: leaf },
      { 'a.b': { c: leaf }, a: { 'b.c': leaf } },
    ] as Tree<HostArray>[]) {
      const { code, message } = thrownBy(() => flattenTree<HostArray>(ambiguous));
      assert.deepEqual([code, /have the path 'a(\.0|\.b|\.b\.c)?'/.test(message)], ['FM_GRAPH', true]);
    }
  });

  it('are no leaves for parts that are called shape and dtype', () => {
    const tree = { shape: hostScalar(1), dtype: hostScalar(2) };
    assert.deepEqual(
      flattenTree(tree).map(([name]) => name),
      ['shape', 'dtype'],
    );
  });

  it('keep their nesting when their leaves are replaced', () => {
    const names = mapTree(tree, (_: HostArray, name) => name);
    assert.deepEqual<unknown>(names, {
      layers: [{ weight: 'layers.0.weight', bias: undefined }, { weight: 'layers.1.weight' }],
      scale: 'scale',
    });
  });

  it('are mapped together with the parts of others at their leaves', () => {
    const slots = mapTree(tree, (leaf: HostArray) => ({ m: leaf, v: [leaf] }));
    const sums = mapTrees<HostArray, number>(
      ({ data }, part, absent) => {
        assert.isUndefined(absent);
        const { m, v } = part as unknown as { m: HostArray; v: HostArray[] };
        return data[0] + m.data[0] + v[0].data[0];
      },
      tree,
      slots,
      undefined,
    );
    assert.deepEqual(
      sums,
      mapTree(tree, ({ data }: HostArray) => 3 * data[0]),
    );
  });

  it('refuse what is neither a leaf nor a nesting, by name', () => {
    const wrong = { layers: [hostScalar(1), 'two'] };
    assert.match(thrownBy(() => flattenTree(wrong as never)).message, /layers\.1 is a string/);
    assert.match(thrownBy(() => mapTree(wrong as never, (x) => x)).message, /layers\.1 is a string/);
    assert.match(thrownBy(() => flattenTree({ a: null } as never)).message, /a is null/);
  });
});
