import type { Path, TimeSampler } from '@flow-matching/core';
import { optimalTransport } from '@flow-matching/plugins';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { close } from '../case/limit.ts';
import { compareNumbers } from '../case/measurement.ts';
import { evaluate, floats } from '../mathematics/evaluate.ts';

export interface TimeSamplerCaseOptions {
  /** The label in ids. Default: the sampler's name. */
  readonly label?: string;
  /** The path whose times are drawn. Default: optimal transport. */
  readonly path?: Path;
}

/** The checks that every time sampler must pass: level 4 with the ids `L4/<label>/…`. */
export const timeSamplerCases = (
  sampler: TimeSampler,
  { label = sampler.name, path = optimalTransport() }: TimeSamplerCaseOptions = {},
): readonly ConformanceCase[] => [
  {
    id: `L4/${label}/times`,
    level: 4,
    dtype: 'f32',
    claim: 'times lie on [0, 1], from the first uniform to the last; weights give the averages of uniform times',
    run: (context) => measureTimes(context, sampler, path),
  },
];

const cells = 2 ** 14;

/** Averages over the midpoints of equal cells are integrals over the uniforms, up to the square of a cell where they are smooth. */
async function measureTimes(context: CaseContext, sampler: TimeSampler, path: Path): Promise<void> {
  const midpoints = Array.from({ length: cells }, (_, i) => (i + 0.5) / cells);
  const ends = [0, 1 - 2 ** -24];
  const { t, weight } = await evaluate(
    context,
    ({ uniform }) => {
      const sample = sampler.sample(uniform, path);
      return { t: sample.t, ...(sample.weight && { weight: sample.weight }) };
    },
    { uniform: floats([...ends, ...midpoints]) },
  );
  const count = cells + ends.length;
  for (const [name, array] of Object.entries({ times: t, ...(weight && { weights: weight }) }))
    claim(array.shape.join() === `${count}`, `The ${name} are [${array.shape.join()}].`, { expected: `[${count}]` });
  const outside = t.data.find((value) => !(value >= 0 && value <= 1));
  claim(outside === undefined, `A time is ${outside}.`, { expected: 'times on [0, 1]' });
  const broken = weight?.data.find((value) => !(value > 0 && Number.isFinite(value)));
  claim(broken === undefined, `A weight is ${broken}.`, { expected: 'weights above 0' });
  if (!weight) return;
  for (const power of [0, 1, 2]) {
    let sum = 0;
    for (let i = ends.length; i < count; i++) sum += weight.data[i] * t.data[i] ** power;
    context.measure(
      compareNumbers(
        `the weighted average of t^${power}`,
        sum / cells,
        1 / (power + 1),
        close(2 ** -10, 0, 'the error of 16,384 cells'),
      ),
    );
  }
}
