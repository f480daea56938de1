import { assert } from 'chai';
import fc from 'fast-check';
import { randomNormal, randomSign, randomUniform } from '../src/composites/random.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import { u32 } from '../src/graph/trace.ts';
import { randomBits } from '../src/operators/random.ts';
import { hostRandom, type HostDraw } from '../src/random/host.ts';
import { philox } from '../src/random/philox.ts';
import type { HostArray } from '../src/tensor/hostArray.ts';
import { hostArray } from '../src/tensor/hostArray.ts';
import type { Shape } from '../src/tensor/shape.ts';
import { graphOf, run } from './support/numeric.ts';
import { thrownBy } from './support/thrownBy.ts';

type GraphDraw = (key: Tensor, counter: Tensor, shape: Shape) => Tensor;

/** The graph's draws and the host's, by the name of their operator. */
const draws: Readonly<Record<string, GraphDraw>> = {
  RandomBits: randomBits,
  RandomUniform: randomUniform,
  RandomNormal: randomNormal,
  RandomSign: randomSign,
};

const inGraph = (draw: GraphDraw, key: Uint32Array, counter: Uint32Array, shape: Shape): HostArray =>
  run(
    graphOf((k, c) => [draw(k, c, shape)], [u32([2]), u32([4])]),
    [hostArray(key), hostArray(counter)],
  )[0];

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const words = (length: number): fc.Arbitrary<Uint32Array> =>
  fc.array(word, { minLength: length, maxLength: length }).map((values) => Uint32Array.from(values));
const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });

describe('philox', () => {
  // Random123, kat_vectors, philox4x32 10.
  const known = [
    { input: [0, 0, 0, 0, 0, 0], output: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      input: [-1, -1, -1, -1, -1, -1].map((ones) => ones >>> 0),
      output: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      input: [0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      output: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const;

  it("gives Random123's known answers, wherever it is told to write them", () => {
    for (const { input, output } of known) {
      const [key0, key1, c0, c1, c2, c3] = input;
      const out = new Uint32Array(6);
      philox(key0, key1, c0, c1, c2, c3, out, 1);
      assert.deepEqual([...out], [0, ...output, 0]);
    }
  });

  it('is what RandomBits and its host twin give, block by block and sample by sample', () => {
    for (const { input, output } of known) {
      const [key, counter] = [Uint32Array.from(input.slice(0, 2)), Uint32Array.from(input.slice(2))];
      assert.deepEqual([...inGraph(randomBits, key, counter, [1, 4]).data], [...output]);
    }
    fc.assert(
      fc.property(words(2), words(4), (key, counter) => {
        const { data } = inGraph(randomBits, key, counter, [3, 2, 5]);
        for (let sample = 0; sample < 3; sample++) {
          for (let w = 0; w < 10; w++) {
            const block = new Uint32Array(4);
            philox(key[0], key[1], counter[0] + Math.floor(w / 4), counter[1] + sample, counter[2], counter[3], block);
            assert.equal(data[sample * 10 + w], block[w % 4]);
          }
        }
      }),
      { numRuns: 10 },
    );
  });
});

/** What one sample is, as a text to tell it from others by. */
const drawn = (twin: HostDraw, key: Uint32Array, counter: Uint32Array): string =>
  twin(key, counter, [1, 64]).data.join();

describe('random draws', () => {
  it('have counterparts on the host', () => assert.sameMembers(Object.keys(hostRandom), Object.keys(draws)));

  for (const [name, draw] of Object.entries(draws)) {
    const twin: HostDraw = hostRandom[name];

    it(`${name} is the same in a graph and on the host`, () => {
      fc.assert(
        fc.property(words(2), words(4), shapes, (key, counter, shape) => {
          const [traced, host] = [inGraph(draw, key, counter, shape), twin(key, counter, shape)];
          assert.deepEqual([traced.shape, traced.dtype], [host.shape, host.dtype]);
          host.data.forEach((value, i) => {
            const error = Math.abs(value - traced.data[i]);
            // Bits, uniforms and signs are exact; normals are rounded to f32 on the host.
            assert.isAtMost(error, name === 'RandomNormal' ? 1e-6 * Math.abs(value) : 0, `${name}[${i}]`);
          });
        }),
        { numRuns: 30 },
      );
    });

    it(`${name} of a sample does not depend on its batch`, () => {
      fc.assert(
        fc.property(
          words(2),
          words(4),
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 9 }),
          (key, counter, batch, size) => {
            const together = twin(key, counter, [batch, size]).data;
            for (let i = 0; i < batch; i++) {
              const shifted = counter.with(1, counter[1] + i);
              const alone = twin(key, shifted, [1, size]).data;
              assert.deepEqual([...alone], Array.from(together.slice(i * size, (i + 1) * size)));
              assert.deepEqual(
                [...inGraph(draw, key, shifted, [1, size]).data].map(Math.fround),
                [...alone].map(Math.fround),
              );
            }
          },
        ),
        { numRuns: 10 },
      );
    });

    it(`${name} differs with every word of key and counter`, () => {
      const [key, counter] = [Uint32Array.of(1, 2), Uint32Array.of(3, 4, 5, 6)];
      const others = [0, 1]
        .map((i) => drawn(twin, key.with(i, 9), counter))
        .concat([1, 2, 3].map((i) => drawn(twin, key, counter.with(i, 99))));
      assert.lengthOf(new Set([drawn(twin, key, counter), drawn(twin, key, counter.with(0, 99)), ...others]), 7);
    });
  }

  it('refuse a key or a counter of another length', () => {
    for (const twin of Object.values(hostRandom)) {
      assert.equal(thrownBy(() => twin(new Uint32Array(1), new Uint32Array(4), [1])).code, 'FM_OPTION');
      assert.equal(thrownBy(() => twin(new Uint32Array(2), new Uint32Array(2), [1])).code, 'FM_OPTION');
    }
  });
});

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Fails where an average over the draws is five standard errors off. */
const averages = (values: readonly number[], expected: number, deviation: number): void =>
  assert.approximately(mean(values), expected, (5 * deviation) / Math.sqrt(values.length));

describe('random distributions', () => {
  const count = 200_000;
  const draw = (name: string): number[] =>
    Array.from(hostRandom[name](Uint32Array.of(7, 11), new Uint32Array(4), [count / 10, 10]).data);

  it('normals have the moments of a normal', () => {
    const z = draw('RandomNormal');
    averages(z, 0, 1);
    averages(
      z.map((v) => v ** 2),
      1,
      Math.sqrt(2),
    );
    averages(
      z.map((v) => v ** 3),
      0,
      Math.sqrt(15),
    );
    averages(
      z.map((v) => v ** 4),
      3,
      Math.sqrt(96),
    );
    // One element and the next, and the two that come from one pair of words.
    averages(
      z.slice(1).map((v, i) => v * z[i]),
      0,
      1,
    );
    averages(
      z.flatMap((v, i) => (i % 10 < 5 ? [v * z[i + 5]] : [])),
      0,
      1,
    );
    averages(
      z.map((v) => Number(Math.abs(v) > 2)),
      0.045500263896,
      Math.sqrt(0.0455),
    );
  });

  it('uniforms fill [0, 1) evenly, on their grid', () => {
    const u = draw('RandomUniform');
    averages(u, 0.5, Math.sqrt(1 / 12));
    averages(
      u.map((v) => v ** 2),
      1 / 3,
      Math.sqrt(4 / 45),
    );
    assert.isTrue(u.every((v) => v >= 0 && v < 1 && Number.isInteger(v * 2 ** 24)));
  });

  it('signs are −1 and 1 equally often', () => {
    const signs = draw('RandomSign');
    assert.sameMembers([...new Set(signs)], [-1, 1]);
    averages(signs, 0, 1);
  });
});
