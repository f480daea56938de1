import type { HostRandomStream } from '@flow-matching/tensor';
import type { ClosedForm } from './closedForms.ts';
import type { MarginalValues } from './mixture.ts';

/** Beyond this many standard deviations a Gaussian is negligible in f64. */
const reach = 9;
const cells = 1000;

/** ∫ N(x; a·y, σ²)·(1, y) dy over [low, high]: mass and first moment of y, by Simpson's rule over the support of the Gaussian. */
function moments(x: number, low: number, high: number, { scale, std }: ClosedForm): { mass: number; first: number } {
  const from = Math.max(low, (x - reach * std) / scale);
  const to = Math.min(high, (x + reach * std) / scale);
  if (!(from < to)) return { mass: 0, first: 0 };
  const step = (to - from) / cells;
  let [mass, first] = [0, 0];
  for (let i = 0; i <= cells; i++) {
    const y = from + i * step;
    const weight = i === 0 || i === cells ? 1 : i % 2 === 1 ? 4 : 2;
    const value = weight * Math.exp(-0.5 * ((x - scale * y) / std) ** 2);
    mass += value;
    first += value * y;
  }
  const factor = step / 3 / (std * Math.sqrt(2 * Math.PI));
  return { mass: mass * factor, first: first * factor };
}

/**
 * p_t, its score and u_t for checkerboard data at a point, by quadrature in f64: uniform on the squares of side 2 of [−4, 4]² whose
 * column and row are both even or both odd.
 */
export function checkerboardValues(form: ClosedForm, x: readonly number[]): MarginalValues {
  const { scale, std, scaleRate, stdRate } = form;
  const columns = x.map((value) => [0, 1, 2, 3].map((i) => moments(value, 2 * i - 4, 2 * i - 2, form)));
  let density = 0;
  const data = [0, 0];
  for (let i = 0; i < 4; i++) {
    for (let j = i % 2; j < 4; j += 2) {
      const [a, b] = [columns[0][i], columns[1][j]];
      density += (a.mass * b.mass) / 32;
      data[0] += (a.first * b.mass) / 32;
      data[1] += (a.mass * b.first) / 32;
    }
  }
  const means = data.map((sum) => sum / density);
  const noise = x.map((value, d) => (value - scale * means[d]) / std);
  return {
    logDensity: Math.log(density),
    score: noise.map((value) => -value / std),
    field: means.map((mean, d) => scaleRate * mean + stdRate * noise[d]),
  };
}

/** Points of the checkerboard, [count, 2] row-major. */
export function drawCheckerboard(random: HostRandomStream, count: number): Float64Array {
  const square = random.uniform([count], 0, 8).data;
  const place = random.uniform([count, 2], 0, 2).data;
  return Float64Array.from({ length: 2 * count }, (_, i) => {
    const index = Math.floor(square[Math.floor(i / 2)]);
    const column = Math.floor(index / 2);
    const row = 2 * (index % 2) + (column % 2);
    return (i % 2 === 0 ? 2 * column : 2 * row) - 4 + place[i];
  });
}
