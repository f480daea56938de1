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

const pairOf = (coupling: Coupling, request: Omit<CouplingRequest, 'random'>, seed = 0, step = 0): Int32Array =>
  coupling.pair!({ ...request, random: new HostRandomStream(seed, 0, step) }) as Int32Array;

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
    it(`${name} permutes every batch`, () => {
      fc.assert(
        fc.property(batch, fc.nat(), (request, seed) => {
          const order = pairOf(coupling, request, seed);
          expect(order.length).to.equal(request.x1.shape[0]);
          expect(isPermutation(order), order.join()).to.equal(true);
        }),
        { numRuns: 60, seed: 1 },
      );
    });

    it(`${name} refuses points that are not finite, and conditions it would pair across`, () => {
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
      expect(() => pairOf(coupling, bad)).to.throw(NumericalError, 'Point 1');
      const condition = {
        label: points([
          [1, 0],
          [0, 1],
        ]),
      };
      const labelled = { x0: bad.x1, x1: bad.x1, condition };
      expect(() => pairOf(coupling, labelled)).to.throw(DataError, "across the condition 'label'");
    });
  }

  it('independent leaves the noise to the graph', () => {
    expect(independent()).not.to.have.property('pair');
  });

  it('optimal-transport never costs more than the order in which points were drawn, and gives each data point its source', () => {
    fc.assert(
      fc.property(batch, (request) => {
        const order = pairOf(optimalTransportCoupling(), request);
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
    expect(Array.from(pairOf(optimalTransportCoupling(), { x0, x1 }))).to.deep.equal([2, 0, 1]);
    const condition = { label: x1 };
    expect(
      Array.from(pairOf(optimalTransportCoupling({ ignoreCondition: true }), { x0, x1, condition })),
    ).to.deep.equal([2, 0, 1]);
  });

  const cloud = async (size: number, seed: number): Promise<{ x0: HostArray; x1: HostArray }> => ({
    x0: (await moons().batch({ index: 0, size, seed })).x1,
    x1: (await eightGaussians().batch({ index: 0, size, seed })).x1,
  });

  it('sinkhorn lies between the exact plan and the drawn order, draws nothing and has no unit', async () => {
    const request = await cloud(128, 1);
    const exact = costOf(request, pairOf(optimalTransportCoupling(), request));
    const costs = [0.01, 0.05, 0.5].map((epsilon) => costOf(request, pairOf(sinkhorn({ epsilon }), request)));
    for (const cost of costs) expect(cost).within(exact * (1 - 1e-12), costOf(request, identity(128)));
    expect(costs[0] / exact).below(1.02);
    expect(costs[1] / exact).below(1.2);
    expect(pairOf(sinkhorn(), request, 1)).to.deep.equal(pairOf(sinkhorn(), request, 2));
    const scaled = (array: HostArray): HostArray =>
      hostArray(array.data.map((value) => 64 * value) as Float32Array, array.shape);
    expect(pairOf(sinkhorn(), { x0: scaled(request.x0), x1: scaled(request.x1) })).to.deep.equal(
      pairOf(sinkhorn(), request),
    );
  });

  it('sinkhorn says when its plan does not balance', async () => {
    const request = await cloud(64, 1);
    expect(() => pairOf(sinkhorn({ epsilon: 1e-4, tolerance: 1e-9, maxIterations: 5 }), request)).to.throw(
      NumericalError,
      'does not balance',
    );
  });

  it('schrodinger-bridge draws by seed and step, near the exact plan for small σ and at random for large', async () => {
    const request = await cloud(96, 2);
    const exact = pairOf(optimalTransportCoupling(), request);
    const bridge = schrodingerBridgeCoupling({ sigma: 1 });
    const first = pairOf(bridge, request, 5, 7);
    expect(pairOf(bridge, request, 5, 7)).to.deep.equal(first);
    expect(pairOf(bridge, request, 5, 8)).not.to.deep.equal(first);
    expect(pairOf(bridge, request, 6, 7)).not.to.deep.equal(first);
    const mean = (sigma: number): number => {
      const drawn = Array.from({ length: 8 }, (_, step) =>
        costOf(request, pairOf(schrodingerBridgeCoupling({ sigma }), request, 1, step)),
      );
      return drawn.reduce((sum, cost) => sum + cost, 0) / 8;
    };
    const least = costOf(request, exact);
    const [small, medium, large] = [mean(0.2), mean(1), mean(1000)];
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

    it('pairs within a class, the source having the class of the point it was drawn beside', () => {
      expect(Array.from(pairOf(conditionAwareOptimalTransport(), { x0, x1, condition: { label } }))).to.deep.equal([
        1, 0, 3, 2,
      ]);
    });

    it('is plain transport where there is one class or a small penalty, and keeps classes for a large one', () => {
      const one = { label: points([[1], [1], [1], [1]]) };
      expect(Array.from(pairOf(conditionAwareOptimalTransport(), { x0, x1, condition: one }))).to.deep.equal([
        3, 2, 1, 0,
      ]);
      const pair = (penalty: number): number[] =>
        Array.from(pairOf(conditionAwareOptimalTransport({ penalty }), { x0, x1, condition: { label } }));
      expect(pair(0.1)).to.deep.equal([3, 2, 1, 0]);
      expect(pair(100)).to.deep.equal([1, 0, 3, 2]);
    });

    it('keeps the source of every class what it was', async () => {
      const data = eightGaussians({ labels: true });
      const { x1: drawn, condition } = await data.batch({ index: 0, size: 200, seed: 3 });
      const noise = new HostRandomStream(1).normal([200, 2]);
      const order = pairOf(conditionAwareOptimalTransport(), { x0: noise, x1: drawn, condition: condition! });
      expect(isPermutation(order)).to.equal(true);
      const classOf = (row: number): number => condition!['label'].data.subarray(8 * row, 8 * row + 8).indexOf(1);
      order.forEach((row, i) => expect(classOf(row)).to.equal(classOf(i)));
      expect(costOf({ x0: noise, x1: drawn }, order)).below(costOf({ x0: noise, x1: drawn }, identity(200)));
    });

    it('can look at one condition of several', () => {
      const condition = { label, other: points([[1], [2], [3], [4]]) };
      expect(Array.from(pairOf(conditionAwareOptimalTransport(), { x0, x1, condition }))).to.deep.equal([0, 1, 2, 3]);
      expect(
        Array.from(pairOf(conditionAwareOptimalTransport({ condition: 'label' }), { x0, x1, condition })),
      ).to.deep.equal([1, 0, 3, 2]);
      expect(() => pairOf(conditionAwareOptimalTransport({ condition: 'class' }), { x0, x1, condition })).to.throw(
        OptionError,
        "'class'.*label, other".slice(0, 7),
      );
      expect(() => pairOf(conditionAwareOptimalTransport(), { x0, x1 })).to.throw(DataError, 'no condition');
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
