import { assert } from 'chai';
import { runConformance } from '../src/index.ts';
import { edgeCases } from '../src/suites/edgeCases.ts';
import { operatorCases } from '../src/suites/operatorCases.ts';
import {
  brokenBackend,
  repeatedNoise,
  shortReduction,
  skippedLastElement,
  transposedProduct,
  wrongBroadcast,
  type Defect,
} from './support/brokenBackends.ts';

const cases = [...operatorCases(), ...edgeCases()];

interface Expectation {
  readonly defect: Defect;
  /** A case that must fail. */
  readonly caughtBy: string;
  /** Operators and composites whose cases may: that of the defect first, then those made of it. All others pass. */
  readonly among: readonly string[];
}

const expectations: readonly Expectation[] = [
  {
    defect: wrongBroadcast,
    caughtBy: 'L1/Add/f32/[4, 1] and [1, 3]',
    among: ['Add'],
  },
  {
    defect: transposedProduct,
    caughtBy: 'L1/MatMul/f32/two matrices',
    among: ['MatMul', 'Attention', 'Gemm'],
  },
  {
    defect: shortReduction,
    caughtBy: 'L1/ReduceSum/f32/the last axis',
    among: (
      'ReduceSum ReduceMean ReduceL2 ReduceSumSquare ReduceLogSumExp Variance Softmax LogSoftmax LayerNormalization ' +
      'GroupNormalization InstanceNormalization RMSNormalization Attention AveragePool GlobalAveragePool'
    ).split(' '),
  },
  {
    defect: skippedLastElement,
    caughtBy: 'L1/Tanh/f32/values',
    among: ['Tanh', 'Gelu'],
  },
  {
    defect: repeatedNoise,
    caughtBy: 'L1/RandomBits/u32/[5, 6]',
    among: ['RandomBits', 'RandomUniform', 'RandomNormal', 'RandomSign'],
  },
];

describe('a backend with', () => {
  for (const { defect, caughtBy, among } of expectations) {
    it(`${defect.name} is caught by name`, async () => {
      const report = await runConformance(() => brokenBackend(defect), { cases });
      assert.isFalse(report.passed);
      const failed = report.results.filter(({ status }) => status !== 'pass').map(({ id }) => id);
      assert.include(failed, caughtBy);
      const operators = new Set(failed.map((id) => id.split('/')[1]));
      assert.includeMembers([...among], [...operators]);
    });
  }

  it('nothing wrong passes', async () => {
    const nothing = brokenBackend({ name: 'nothing wrong', kernels: {} });
    const report = await runConformance(() => nothing, { cases });
    assert.isTrue(report.passed);
  });
});
