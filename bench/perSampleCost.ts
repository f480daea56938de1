import { dopri5 } from '@flow-matching/plugins';
import { formatComparison } from './formatComparison.ts';
import type { Study } from './study.ts';
import { work } from './works.ts';

const tolerances = { rtol: 1e-5, atol: 1e-5 };

/** What it costs to let each sample choose its steps. NFE is that of the sample that takes most. */
export const perSampleCost: Study = {
  id: 'per-sample/4096',
  contests: [
    {
      work: work('sampling', 4096, 1, 2),
      variants: [
        { name: 'steps shared by the batch', parts: { solver: dopri5(tolerances) } },
        { name: 'steps of each sample', parts: { solver: dopri5({ ...tolerances, perSample: true }) } },
      ],
    },
  ],
  format: ([comparison]) => formatComparison(comparison, 'shared'),
};
