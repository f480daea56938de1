import type { Schedule } from '@flow-matching/core';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';

export interface ScheduleCaseOptions {
  /** The label in ids. Default: the schedule's name. */
  readonly label?: string;
}

/** The checks that every schedule must pass: level 4 with the ids `L4/<label>/…`. */
export const scheduleCases = (
  schedule: Schedule,
  { label = schedule.name }: ScheduleCaseOptions = {},
): readonly ConformanceCase[] => [
  {
    id: `L4/${label}/factors`,
    level: 4,
    claim:
      'factors are finite, not negative, and depend on the step and the number of steps alone, so that a resumed training has them too',
    run: async () => checkFactors(schedule),
  },
];

function checkFactors(schedule: Schedule): void {
  for (const steps of [1, 2, 3, 10, 1000, 14_000]) {
    const all = Array.from({ length: Math.min(steps, 1000) }, (_, i) =>
      Math.floor((i * steps) / Math.min(steps, 1000)),
    );
    const factors = all.map((step) => schedule.factor(step, steps));
    const broken = factors.findIndex((factor) => !(factor >= 0 && Number.isFinite(factor)));
    claim(broken < 0, `The factor at step ${all[broken]} of ${steps} is ${factors[broken]}.`, {
      expected: 'a number of 0 or more',
    });
    claim(
      factors.some((factor) => factor > 0),
      `All factors of ${steps} steps are 0.`,
      { expected: 'a training that moves' },
    );
    // From the last to the first, as no training asks for them.
    const again = all.toReversed().map((step) => schedule.factor(step, steps));
    const changed = again.toReversed().findIndex((factor, i) => factor !== factors[i]);
    claim(changed < 0, `The factor at step ${all[changed]} of ${steps} depends on the calls before.`, {
      expected: 'the same factor each time',
    });
  }
}
