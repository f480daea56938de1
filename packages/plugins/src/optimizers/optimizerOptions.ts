import type { Schedule } from '@flow-matching/core';
import * as z from 'zod';
import { constantSchedule } from '../schedules/constantSchedule.ts';

const isSchedule = (value: unknown): value is Schedule =>
  typeof (value as Partial<Schedule> | undefined)?.factor === 'function';

/** Options that every optimizer has. */
export const optimizerOptions = {
  learningRate: z.float32().positive().default(1e-3).describe('Base learning rate, multiplied by the schedule'),
  schedule: z
    .custom<Schedule>(isSchedule, 'a schedule was expected')
    .default(() => constantSchedule())
    .describe('Schedule of the learning rate'),
};

/** Options that experiment files give by plugin name. */
export const optimizerNested = { schedule: 'schedule' } as const;
