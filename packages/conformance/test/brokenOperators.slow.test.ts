import { assert } from 'chai';
import { runConformance } from '../src/index.ts';
import { edgeCases } from '../src/suites/edgeCases.ts';
import { operatorCases } from '../src/suites/operatorCases.ts';
import {
  brokenBackend,
  bfloatPieces,
  droppedChannel,
  droppedTerm,
  fiveAxes,
  halfSums,
  integersAsFloats,
  repeatedNoise,
  shortBlockIndex,
  shortIndex,
  shortLongReduction,
  shortReduction,
  sixteenParts,
  skippedLastElement,
  tensorFloats,
  transposedProduct,
  wrongBroadcast,
  type Defect,
} from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';
import { smallCases } from './support/smallCases.ts';

const everyCase = [...operatorCases(), ...edgeCases()];
const cases = smallCases(everyCase);

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

  it('passes without a defect', async () => {
    const nothing = brokenBackend({ name: 'nothing wrong', kernels: {} });
    const report = await runConformance(() => nothing, { cases });
    assert.isTrue(report.passed);
  });
});

/** Defects that show at sizes, ranks and values that others of an operator's cases do not have: exactly these cases fail. */
const beyondSmall: readonly {
  readonly defect: Defect;
  readonly among: RegExp;
  readonly caughtBy: readonly string[];
}[] = [
  {
    defect: tensorFloats,
    among: /^L1\/MatMul\/f32/,
    caughtBy: [
      'L1/MatMul/f32/product sizes: [256, 512] times [512, 512]',
      'L1/MatMul/f32/product sizes: the gradient of the first: times the second, transposed',
      'L1/MatMul/f32/product sizes: the gradient of the second: the first, transposed, times',
      'L1/MatMul/f32/product sizes: few terms of 21 bits',
      'L1/MatMul/f32/product sizes: a batch of 64 times a matrix',
    ],
  },
  {
    defect: bfloatPieces,
    among: /^L1\/MatMul\/f32/,
    caughtBy: ['L1/MatMul/f32/product sizes: few terms of 21 bits'],
  },
  {
    defect: droppedTerm,
    among: /^L1\/MatMul\/f32/,
    caughtBy: [
      'L1/MatMul/f32/product sizes: [256, 512] times [512, 512]',
      'L1/MatMul/f32/product sizes: the gradient of the first: times the second, transposed',
      'L1/MatMul/f32/product sizes: few terms of 21 bits',
    ],
  },
  {
    defect: shortLongReduction,
    among: /^L1\/ReduceSum\/f32/,
    caughtBy: ['L1/ReduceSum/f32/four million elements'],
  },
  {
    defect: droppedChannel,
    among: /^L1\/Conv\/f32/,
    caughtBy: [
      'L1/Conv/f32/64 channels: [2, 64, 16, 16] by [64, 64, 3, 3], padding 1',
      'L1/Conv/f32/64 channels: [1, 64, 16, 16] by [96, 64, 3, 3], padding 1, stride 2',
    ],
  },
  { defect: shortIndex, among: /^L1\/Mul\/f32/, caughtBy: ['L1/Mul/f32/more than 65,536 elements'] },
  { defect: fiveAxes, among: /^L1\/Transpose\/f32/, caughtBy: ['L1/Transpose/f32/six axes'] },
  { defect: shortBlockIndex, among: /^L2\/RandomBits/, caughtBy: ['L2/RandomBits/u32/long samples and many'] },
  {
    defect: integersAsFloats,
    among: /^L[12]\/(Where|Gather|Slice|Concat|Pad|Transpose|Reshape|Expand)\/(i32|u32)/,
    caughtBy: ['Where', 'Gather', 'Slice', 'Concat', 'Pad', 'Transpose', 'Reshape', 'Expand'].flatMap((operator) =>
      ['i32', 'u32'].map((dtype) => `L2/${operator}/${dtype}/integers that are no floats`),
    ),
  },
  {
    defect: halfSums,
    among: /^L[12]\/Add\/f32/,
    caughtBy: ['L2/Add/f32/magnitudes beyond a narrower float'],
  },
  { defect: sixteenParts, among: /^L1\/Concat\/f32/, caughtBy: ['L1/Concat/f32/many parts'] },
];

describe('beyond small arrays, a backend with', () => {
  for (const { defect, among, caughtBy } of beyondSmall) {
    it(`${defect.name} fails exactly there`, async () => {
      const chosen = everyCase.filter(({ id }) => among.test(id));
      const { broken } = await idsByStatus(chosen, () => brokenBackend(defect));
      assert.sameMembers(broken, [...caughtBy]);
    }).timeout(120_000);
  }
});
