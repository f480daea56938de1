import * as fm from '@flow-matching/tensor';
import type { Shape, Tensor } from '@flow-matching/tensor';
import { referenceOf, resultsOf } from '../case/agreement.ts';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { exact } from '../case/limit.ts';
import { compareArrays } from '../case/measurement.ts';
import { rowCase, type Use } from '../case/use.ts';
import { places, placesAllOver } from '../operators/largeArrays.ts';
import { given } from './edgeUses.ts';

const top = 0xffffffff;

interface Position {
  readonly key: readonly [number, number];
  readonly counter: readonly [number, number, number, number];
}

/** The known answers of Random123 1.14 (Salmon et al., kat_vectors, philox4x32-10). */
const knownAnswers: readonly (Position & { readonly words: readonly number[] })[] = [
  { key: [0, 0], counter: [0, 0, 0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  { key: [top, top], counter: [top, top, top, top], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
  {
    key: [0xa4093822, 0x299f31d0],
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

const known = (): ConformanceCase => ({
  id: 'L2/RandomBits/u32/known answers',
  level: 2,
  dtype: 'u32',
  claim: 'RandomBits has the known answers of Random123',
  async run(context) {
    for (const [i, { words, ...position }] of knownAnswers.entries()) {
      const [actual] = await resultsOf(
        context,
        (key, counter) => fm.randomBits(key, counter, [1, 4]),
        operandsOf(position),
      );
      context.measure(compareArrays(`answer ${i}`, actual, given(words, 'u32', [1, 4]), exact));
    }
  },
});

const operandsOf = ({ key, counter }: Position) => [given(key, 'u32'), given(counter, 'u32')];

const usual: Position = { key: [0x9e3779b9, 12345], counter: [0, 100, 7, 2] };
const positions: Readonly<Record<string, Position>> = {
  'a seed': usual,
  'a counter that wraps around': { key: [1, top], counter: [top, top - 1, top, top] },
};
/** Full and partial blocks of four words, samples of many blocks, of one word and of none. */
const shapes: readonly Shape[] = [[], [1], [5], [3, 4], [4, 5], [2, 3, 3], [3, 4097], [0], [0, 3], [3, 0]];

type Formula = (key: Tensor, counter: Tensor, shape: Shape) => Tensor;

const uses = (formula: Formula, position: Position): Use[] =>
  shapes.map((shape) => ({
    what: fm.formatShape(shape),
    operands: () => operandsOf(position),
    formula: (key, counter) => formula(key, counter, shape),
  }));

const everywhere = (operator: string, dtype: fm.DType, formula: Formula): ConformanceCase[] =>
  Object.entries(positions).map(([what, position]) =>
    rowCase(2, operator, dtype, { what, uses: uses(formula, position) }),
  );

/** A sample draws the same in a batch as alone, at its own index. */
const independent = (operator: string, dtype: fm.DType, formula: Formula): ConformanceCase => ({
  id: `L2/${operator}/${dtype}/samples alone and in a batch`,
  level: 2,
  dtype,
  claim: `A sample of ${operator} does not depend on the batch it is drawn in`,
  async run(context) {
    const [batch] = await resultsOf(context, (key, counter) => formula(key, counter, [3, 6]), operandsOf(usual));
    for (let sample = 0; sample < 3; sample++) {
      const [block, first, ...rest] = usual.counter;
      const position: Position = { ...usual, counter: [block, first + sample, ...rest] };
      const [alone] = await resultsOf(context, (key, counter) => formula(key, counter, [1, 6]), operandsOf(position));
      const own = { ...batch, shape: [1, 6], data: batch.data.subarray(6 * sample, 6 * (sample + 1)) };
      context.measure(compareArrays(`sample ${sample} of the batch`, own, alone, exact));
    }
  },
});

/** Words of long samples and of many samples, each compared with the reference at its own counter. */
const far = (operator: string, dtype: fm.DType, formula: Formula): ConformanceCase => ({
  id: `L2/${operator}/${dtype}/long samples and many`,
  level: 2,
  dtype,
  claim: `${operator} of samples of 65,538 blocks, and of 70,001 samples, is what their counters say`,
  async run(context) {
    // A short sample shares only its first words with a long one: one block at a time.
    for (const shape of [
      [2, 262_150],
      [70_001, 5],
    ]) {
      const [actual] = await resultsOf(context, (key, counter) => formula(key, counter, shape), operandsOf(usual));
      const [samples, words] = shape;
      const wanted = places(samples).flatMap((sample) =>
        placesAllOver(words, 16).map((word) => [sample, word] as const),
      );
      const expected = wanted.map(([sample, word]) => {
        const [block, first, ...rest] = usual.counter;
        const position: Position = { ...usual, counter: [block + Math.floor(word / 4), first + sample, ...rest] };
        return referenceOf((key, counter) => formula(key, counter, [1, 4]), operandsOf(position))[0].data[word % 4];
      });
      const got = wanted.map(([sample, word]) => actual.data[sample * words + word]);
      context.measure(
        compareArrays(
          fm.formatShape(shape),
          { data: got, shape: [got.length], dtype: actual.dtype },
          { data: expected, shape: [got.length], dtype },
          exact,
          (i) => `sample ${wanted[i][0]}, word ${wanted[i][1]}`,
        ),
      );
    }
  },
});

/** Draws, bit for bit: one exact integer function, and the exact scaling of 24 of its bits. */
export const randomEdges = (): readonly ConformanceCase[] => [
  known(),
  ...everywhere('RandomBits', 'u32', fm.randomBits),
  ...everywhere('RandomUniform', 'f32', fm.randomUniform),
  ...everywhere('RandomSign', 'f32', fm.randomSign),
  far('RandomBits', 'u32', fm.randomBits),
  far('RandomUniform', 'f32', fm.randomUniform),
  independent('RandomBits', 'u32', fm.randomBits),
  independent('RandomUniform', 'f32', fm.randomUniform),
  independent('RandomNormal', 'f32', fm.randomNormal),
];
