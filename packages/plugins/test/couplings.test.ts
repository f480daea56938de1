import { NumericalError, type Coupling, type CouplingRequest } from '@flow-matching/core';
import { DataError, HostRandomStream, hostArray, OptionError, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  conditionAwareOptimalTransport,
  eightGaussians,
  independent,
  moons,
  optimalTransportCoupling,
  schrodingerBridgeCoupling,
  sinkhorn,
} from '../src/index.ts';

const pairOf = async (
  coupling: Coupling,
  request: Omit<CouplingRequest, 'random'>,
  seed = 0,
  step = 0,
): Promise<Int32Array> => coupling.pair!({ ...request, random: new HostRandomStream(seed, 0, step) });

/** Asserts that a pairing is refused. */
async function expectRefusal(
  pairing: Promise<Int32Array>,
  type: typeof DataError | typeof NumericalError | typeof OptionError,
  problem: string,
): Promise<void> {
  const error = await pairing.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  expect(error).instanceOf(type);
  expect((error as Error).message).to.include(problem);
}

const points = (rows: readonly (readonly number[])[]): HostArray =>
  hostArray(rows.flat(), [rows.length, rows[0].length]);
const costOf = ({ x0, x1 }: { x0: HostArray; x1: HostArray }, order: Int32Array): number => {
  const width = x1.data.length / x1.shape[0];
  return order.reduce((sum, row, i) => {
    for (let d = 0; d < width; d++) sum += (x1.data[i * width + d] - x0.data[row * width + d]) ** 2;
    return sum;
  }, 0);
};
const identity = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
const isPermutation = (order: Int32Array): boolean => identity(order.length).every((i) => order.includes(i));

const coordinate = fc.double({ min: -10, max: 10, noNaN: true });
const batch = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const rows = fc.array(fc.tuple(coordinate, coordinate), { minLength: size, maxLength: size });
  return fc.record({ x0: rows, x1: rows }).map(({ x0, x1 }) => ({ x0: points(x0), x1: points(x1) }));
});

const paired: readonly [string, Coupling][] = [
  ['optimal-transport', optimalTransportCoupling()],
  ['sinkhorn', sinkhorn()],
  ['schrodinger-bridge', schrodingerBridgeCoupling({ sigma: 3 })],
];

describe('couplings', () => {
  for (const [name, coupling] of paired) {
    it(`${name} permutes every batch`, async () => {
      await fc.assert(
        fc.asyncProperty(batch, fc.nat(), async (request, seed) => {
          const order = await pairOf(coupling, request, seed);
          expect(order.length).to.equal(request.x1.shape[0]);
          expect(isPermutation(order), order.join()).to.equal(true);
        }),
        { numRuns: 60, seed: 1 },
      );
    });

    it(`${name} refuses points that are not finite, and conditions it would pair across`, async () => {
      const bad = {
        x0: points([
          [0, 1],
          [Infinity, 2],
        ]),
        x1: points([
          [0, 0],
          [1, 1],
        ]),
      };
      await expectRefusal(pairOf(coupling, bad), NumericalError, 'Point 1');
      const condition = {
        label: points([
          [1, 0],
          [0, 1],
        ]),
      };
      const labelled = { x0: bad.x1, x1: bad.x1, condition };
      await expectRefusal(pairOf(coupling, labelled), DataError, "across the condition 'label'");
    });
  }

  it('independent leaves the noise to the graph', () => {
    expect(independent()).not.to.have.property('pair');
  });

  it('optimal-transport never costs more than the order in which points were drawn, and gives each data point its source', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async (request) => {
        const order = await pairOf(optimalTransportCoupling(), request);
        const drawn = costOf(request, identity(order.length));
        expect(costOf(request, order)).at.most(drawn + 1e-9 * Math.max(1, drawn));
      }),
      { numRuns: 60, seed: 2 },
    );
    const x0 = points([
      [0, 0],
      [10, 0],
      [0, 10],
    ]);
    const x1 = points([
      [1, 9],
      [1, 1],
      [9, 1],
    ]);
    expect(Array.from(await pairOf(optimalTransportCoupling(), { x0, x1 }))).to.deep.equal([2, 0, 1]);
    const condition = { label: x1 };
    const ignoring = optimalTransportCoupling({ ignoreCondition: true });
    expect(Array.from(await pairOf(ignoring, { x0, x1, condition }))).to.deep.equal([2, 0, 1]);
  });

  const cloud = async (size: number, seed: number): Promise<{ x0: HostArray; x1: HostArray }> => ({
    x0: (await moons().batch({ index: 0, size, seed })).x1,
    x1: (await eightGaussians().batch({ index: 0, size, seed })).x1,
  });

  it('sinkhorn lies between the exact plan and the drawn order, draws nothing and has no unit', async () => {
    const request = await cloud(128, 1);
    const exact = costOf(request, await pairOf(optimalTransportCoupling(), request));
    const orders = await Promise.all([0.01, 0.05, 0.5].map((epsilon) => pairOf(sinkhorn({ epsilon }), request)));
    const costs = orders.map((order) => costOf(request, order));
    for (const cost of costs) expect(cost).within(exact * (1 - 1e-12), costOf(request, identity(128)));
    expect(costs[0] / exact).below(1.02);
    expect(costs[1] / exact).below(1.2);
    expect(await pairOf(sinkhorn(), request, 1)).to.deep.equal(await pairOf(sinkhorn(), request, 2));
    const scaled = (array: HostArray): HostArray =>
      hostArray(array.data.map((value) => 64 * value) as Float32Array, array.shape);
    expect(await pairOf(sinkhorn(), { x0: scaled(request.x0), x1: scaled(request.x1) })).to.deep.equal(
      await pairOf(sinkhorn(), request),
    );
  });

  it('sinkhorn says when its plan does not balance', async () => {
    const request = await cloud(64, 1);
    const strict = sinkhorn({ epsilon: 1e-4, tolerance: 1e-9, maxIterations: 5 });
    await expectRefusal(pairOf(strict, request), NumericalError, 'does not balance');
  });

  it('schrodinger-bridge draws by seed and step, near the exact plan for small σ and at random for large', async () => {
    const request = await cloud(96, 2);
    const exact = await pairOf(optimalTransportCoupling(), request);
    const bridge = schrodingerBridgeCoupling({ sigma: 1 });
    const first = await pairOf(bridge, request, 5, 7);
    expect(await pairOf(bridge, request, 5, 7)).to.deep.equal(first);
    expect(await pairOf(bridge, request, 5, 8)).not.to.deep.equal(first);
    expect(await pairOf(bridge, request, 6, 7)).not.to.deep.equal(first);
    const mean = async (sigma: number): Promise<number> => {
      const coupled = schrodingerBridgeCoupling({ sigma });
      let sum = 0;
      for (let step = 0; step < 8; step++) sum += costOf(request, await pairOf(coupled, request, 1, step));
      return sum / 8;
    };
    const least = costOf(request, exact);
    const [small, medium, large] = [await mean(0.2), await mean(1), await mean(1000)];
    expect(small / least).within(1, 1.1);
    expect(medium).within(small, large);
    // At large σ pairs are independent: the mean of all costs.
    const independentCost = Array.from({ length: 96 }, (_, shift) =>
      costOf(
        request,
        identity(96).map((i) => (i + shift) % 96),
      ),
    );
    expect(large / (independentCost.reduce((a, b) => a + b) / 96)).within(0.9, 1.1);
  });

  /** Enough for a pairing to last for many turns of the event loop. */
  const many = 2048;
  const labels = hostArray(
    Float32Array.from({ length: many }, (_, i) => i % 2),
    [many, 1],
  );
  for (const [name, coupling, condition] of [
    ...paired,
    ['condition-aware-optimal-transport', conditionAwareOptimalTransport(), { labels }],
    ['condition-aware-optimal-transport with a penalty', conditionAwareOptimalTransport({ penalty: 1 }), { labels }],
  ] as const) {
    it(`${name} lets timers in during a pairing, and ends where its signal fires`, async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('enough')), 1);
      const outcome = await pairOf(coupling, {
        ...(await cloud(many, 1)),
        ...(condition && { condition }),
        signal: controller.signal,
      }).catch((error: unknown) => error);
      expect(outcome).to.equal(controller.signal.reason);
    });
  }

  describe('condition-aware-optimal-transport', () => {
    const x0 = points([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    const x1 = points([
      [3, 0],
      [2, 0],
      [1, 0],
      [0, 0],
    ]);
    const label = points([
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);

    it('pairs within a class, the source having the class of the point it was drawn beside', async () => {
      const order = await pairOf(conditionAwareOptimalTransport(), { x0, x1, condition: { label } });
      expect(Array.from(order)).to.deep.equal([1, 0, 3, 2]);
    });

    it('is plain transport where there is one class or a small penalty, and keeps classes for a large one', async () => {
      const one = { label: points([[1], [1], [1], [1]]) };
      const order = await pairOf(conditionAwareOptimalTransport(), { x0, x1, condition: one });
      expect(Array.from(order)).to.deep.equal([3, 2, 1, 0]);
      const pair = async (penalty: number): Promise<number[]> =>
        Array.from(await pairOf(conditionAwareOptimalTransport({ penalty }), { x0, x1, condition: { label } }));
      expect(await pair(0.1)).to.deep.equal([3, 2, 1, 0]);
      expect(await pair(100)).to.deep.equal([1, 0, 3, 2]);
    });

    it('keeps the source distribution of every class', async () => {
      const data = eightGaussians({ labels: true });
      const { x1: drawn, condition } = await data.batch({ index: 0, size: 200, seed: 3 });
      const noise = new HostRandomStream(1).normal([200, 2]);
      const order = await pairOf(conditionAwareOptimalTransport(), { x0: noise, x1: drawn, condition: condition! });
      expect(isPermutation(order)).to.equal(true);
      const classOf = (row: number): number => condition!['label'].data.subarray(8 * row, 8 * row + 8).indexOf(1);
      order.forEach((row, i) => expect(classOf(row)).to.equal(classOf(i)));
      expect(costOf({ x0: noise, x1: drawn }, order)).below(costOf({ x0: noise, x1: drawn }, identity(200)));
    });

    it('can look at one condition of several', async () => {
      const condition = { label, other: points([[1], [2], [3], [4]]) };
      const pair = (name?: string): Promise<Int32Array> =>
        pairOf(conditionAwareOptimalTransport({ ...(name && { condition: name }) }), { x0, x1, condition });
      expect(Array.from(await pair())).to.deep.equal([0, 1, 2, 3]);
      expect(Array.from(await pair('label'))).to.deep.equal([1, 0, 3, 2]);
      await expectRefusal(pair('class'), OptionError, "no condition 'class'. Expected one of label, other");
      await expectRefusal(pairOf(conditionAwareOptimalTransport(), { x0, x1 }), DataError, 'no condition');
    });
  });

  it('options out of range are refused', () => {
    expect(() => sinkhorn({ epsilon: 0 })).to.throw(OptionError, 'epsilon');
    expect(() => schrodingerBridgeCoupling({ sigma: -1 })).to.throw(OptionError, 'sigma');
    expect(() => schrodingerBridgeCoupling({ tolerance: 0 })).to.throw(OptionError, 'tolerance');
    expect(() => sinkhorn({ maxIterations: 0 })).to.throw(OptionError, 'maxIterations');
    expect(() => conditionAwareOptimalTransport({ penalty: 0 })).to.throw(OptionError, 'penalty');
  });
});
