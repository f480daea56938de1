import { expect } from 'chai';
import { countWithin, domainOf } from '../src/report/domain.ts';
import { lossBuckets } from '../src/report/lossBuckets.ts';
import { lossCurve } from '../src/report/lossCurve.ts';
import { scatterFigure } from '../src/report/planeFigures.ts';
import { scatterPicture } from '../src/report/scatterPicture.ts';
import { decode } from 'fast-png';
import { hostArray } from '@flow-matching/tensor';
import type { Metrics } from '../src/run/metricsLog.ts';

const reports = (losses: readonly (number | null)[]): Metrics[] =>
  losses.map((loss, i) => ({ step: 50 * (i + 1), loss, learningRate: 1, seconds: i, skipped: 0 }) as Metrics);

type Place = readonly [x: number, y: number];

/** The places that a path of a curve leads through. */
function placesOf(svg: string, name: string): Place[] {
  const path = new RegExp(`<path class="${name}" d="([^"]*)"`).exec(svg)![1];
  return Array.from(path.matchAll(/[ML](\S+) ([^ML]+)/g), ([, x, y]) => [Number(x), Number(y)]);
}

interface Text {
  readonly text: string;
  /** From which to which pixel, by letters of 7. */
  readonly from: number;
  readonly to: number;
}

/** The texts of the axis on the left, and of the one below. */
const textsOf = (svg: string, anchor: 'end' | 'middle'): Text[] =>
  Array.from(
    svg.matchAll(new RegExp(`<text class="${anchor}" x="([^"]+)"[^>]*>([^<]*)</text>`, 'g')),
    ([, x, text]) => {
      const [at, width] = [Number(x), 7 * text.length];
      return anchor === 'end' ? { text, from: at - width, to: at } : { text, from: at - width / 2, to: at + width / 2 };
    },
  );

describe('the loss curve', () => {
  it('shows each report at its height, the first ones too', () => {
    const losses = [4.9, 3.9, 3.7, 3.55, ...Array.from({ length: 200 }, (_, i) => 3.5 - i / 1000)];
    const places = placesOf(lossCurve(reports(losses)), 'faint line');
    expect(places).to.have.length(losses.length);
    const perNat = (places[203][1] - places[0][1]) / (losses[0] - losses[203]);
    places.forEach(([, y], i) => expect(y).to.be.closeTo(places[0][1] + perNat * (losses[0] - losses[i]), 0.11));
    expect(perNat).to.be.greaterThan(100);
  });

  it('begins its mean with the first report', () => {
    const losses = [9, ...Array.from({ length: 399 }, () => 3)];
    const svg = lossCurve(reports(losses));
    expect(placesOf(svg, 'line')[0]).to.deep.equal(placesOf(svg, 'faint line')[0]);
  });

  it('shows losses of very different sizes on a logarithmic axis, and those below zero on a linear one', () => {
    const places = placesOf(lossCurve(reports([1e5, 1e4, 1e3, 1e2])), 'faint line').map(([, y]) => y);
    expect(places[1] - places[0]).to.be.closeTo(places[3] - places[2], 0.11);
    expect(lossCurve(reports([1e5, 1e2])))
      .to.include('>10⁵<')
      .and.to.include('>10²<');
    const linear = placesOf(lossCurve(reports([1000, 500, 0, -500])), 'faint line').map(([, y]) => y);
    expect(linear[1] - linear[0]).to.be.closeTo(linear[3] - linear[2], 0.11);
  });

  it('of a long training is as small as that of a short one, and keeps the extremes', () => {
    const losses = Array.from({ length: 300_000 }, (_, i) => 2 + Math.sin(i / 1000) + (i === 123_456 ? 7 : 0));
    const svg = lossCurve(reports(losses));
    expect(svg.length).to.be.lessThan(40_000);
    const [all, some] = [placesOf(svg, 'faint line'), placesOf(svg, 'line')];
    const top = all.reduce((least, [, y]) => Math.min(least, y), Infinity);
    const ordinary = all.filter(([, y]) => y > top + 1).reduce((least, [, y]) => Math.min(least, y), Infinity);
    expect(top, 'the one report that towers over the rest').to.be.lessThan(ordinary - 50);
    expect(some.length).to.be.within(200, 1000);
  });

  it('has a gap where losses are not finite', () => {
    const svg = lossCurve(reports([3, 2, null, NaN, 2, 1]));
    expect(svg).not.to.match(/NaN|null|Infinity/);
    expect(placesOf(svg, 'faint line')).to.have.length(4);
    expect(/<path class="faint line" d="([^"]*)"/.exec(svg)![1].match(/M/g)).to.have.length(2);
    expect(lossCurve(reports([null, NaN])), 'nothing to show').not.to.match(/NaN|null|Infinity/);
  });

  [
    [1, 2],
    [29_343, 28_000],
    [1.0001e-5, 1e-5],
    [1e9, 2.5],
    [-123_456, 98_765],
  ].forEach(([first, last]) => {
    it(`has its title beside the numbers of its axis: ${first} to ${last}`, () => {
      const svg = lossCurve(reports([first, last]));
      const least = Math.min(...textsOf(svg, 'end').map(({ from }) => from));
      const title = Number(/translate\((\S+) \S+\) rotate\(-90\)">loss</.exec(svg)![1]);
      // A line of letters is 12 pixels high, half of it on either side.
      expect(title + 6).to.be.at.most(least);
      expect(title - 6).to.be.at.least(0);
    });
  });
});

describe('the buckets of a loss curve', () => {
  it('hold every report once, with least, mean and largest loss', () => {
    const buckets = lossBuckets(reports([5, 1, 3, 8, 6]), 2);
    expect(buckets).to.deep.equal([
      { step: 100, least: 1, mean: 3, most: 5 },
      { step: 225, least: 6, mean: 7, most: 8 },
    ]);
  });

  it('are the reports themselves where these are few', () => {
    expect(lossBuckets(reports([5, 1]), 3)).to.deep.equal([
      { step: 50, least: 5, mean: 5, most: 5 },
      { step: 100, least: 1, mean: 1, most: 1 },
    ]);
  });
});

const cloud = (count: number, x: (i: number) => number, y: (i: number) => number): Float32Array =>
  Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? x(i / 2) : y((i - 1) / 2)));

describe('the axes around points', () => {
  const extent = ([low, high]: readonly [number, number]): number => high - low;

  it('have one scale if the coordinates are of similar size', () => {
    const domain = domainOf(
      cloud(
        500,
        (i) => 4 * Math.sin(i),
        (i) => Math.cos(i),
      ),
    );
    expect(extent(domain.x)).to.be.closeTo(extent(domain.y), 1);
  });

  it('have separate scales if one coordinate would be a line: columns of 500 and 0.01', () => {
    const domain = domainOf(
      cloud(
        500,
        (i) => 500 * Math.sin(i),
        (i) => 3 + 0.01 * Math.cos(3 * i),
      ),
    );
    expect(extent(domain.x)).to.be.within(1000, 1400);
    expect(extent(domain.y)).to.be.within(0.02, 0.03);
  });

  it('have an extent even if points have none', () => {
    for (const value of [0, 1e-3, 1e9]) {
      const { x, y } = domainOf(
        cloud(
          10,
          () => value,
          () => value,
        ),
      );
      for (const [low, high] of [x, y]) {
        expect(Math.fround(low)).to.be.lessThan(Math.fround(value));
        expect(Math.fround(high)).to.be.greaterThan(Math.fround(value));
      }
    }
    const column = domainOf(
      cloud(
        100,
        (i) => i,
        () => 7,
      ),
    );
    expect(extent(column.y), 'a constant column takes the scale of the other').to.be.closeTo(extent(column.x), 20);
  });

  it('count the points inside', () => {
    const plane = { x: [0, 1], y: [0, 1] } as const;
    expect(countWithin(Float32Array.of(0.5, 0.5, 2, 0.5, 0.5, -1, 1, 1, NaN, 0), plane)).to.equal(2);
  });

  [1e-7, 1e-3, 1, 500, 1e7].forEach((scale) => {
    it(`say numbers that fit, of size ${scale}`, () => {
      const points = cloud(
        500,
        (i) => scale * Math.sin(i),
        (i) => scale * Math.cos(i),
      );
      const svg = scatterFigure('Data', hostArray(points, [500, 2]), domainOf(points));
      const [left, below] = [textsOf(svg, 'end'), textsOf(svg, 'middle')];
      expect(left.length).to.be.greaterThan(2);
      expect(below.length).to.be.greaterThan(2);
      for (const { text, from } of left) expect(from, text).to.be.at.least(0);
      const width = Number(/viewBox="0 0 (\S+)/.exec(svg)![1]);
      for (const { text, to } of below) expect(to, text).to.be.at.most(width);
      below.slice(1).forEach(({ text, from }, i) => expect(from, text).to.be.greaterThan(below[i].to));
    });
  });

  it('have numbers on both sides of the picture of samples, wherever the points lie', () => {
    const at = (x: number, y: number) =>
      decode(
        scatterPicture([
          {
            title: '',
            points: hostArray(
              cloud(
                500,
                (i) => x + Math.sin(i),
                (i) => y + Math.cos(i),
              ),
              [500, 2],
            ),
          },
        ]),
      );
    const inkOf = ({ width, height, data }: ReturnType<typeof at>): { left: number; below: number } => {
      const dark = (x: number, y: number): boolean => data[4 * (y * width + x)] < 200;
      // The frame of the picture is 480 pixels wide and ends 20 before the right edge.
      const edge = width - 20 - 480;
      let [left, below] = [0, 0];
      for (let y = 0; y < height; y++) for (let x = 0; x < edge - 8; x++) if (dark(x, y)) left++;
      for (let y = height - 30; y < height; y++) for (let x = edge; x < width; x++) if (dark(x, y)) below++;
      return { left, below };
    };
    for (const [x, y] of [
      [0, 0],
      [100, -100],
      [1e4, 1e6],
    ]) {
      const { left, below } = inkOf(at(x, y));
      expect(left, `left of ${y}`).to.be.greaterThan(100);
      expect(below, `below ${x}`).to.be.greaterThan(100);
    }
  });
});
