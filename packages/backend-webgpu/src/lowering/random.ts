import * as core from '@flow-matching/tensor';
import { sizeOf } from '@flow-matching/tensor';
import { divide, linearize, literal, modulo, zero } from '../indexing/indexExpression.ts';
import { lowering, type Lowering } from './lowering.ts';

/** Random words, computed where they are used: a block of four depends only on its counter. */
export const random: readonly Lowering[] = [
  lowering(
    core.RandomBits,
    { kind: 'element', dtypes: ['u32'], cost: 150 },
    (writer, { inputs: [key, counter], outputs: [{ shape }] }, index) => {
      const sample = index[0] ?? zero;
      const word = linearize(index.slice(1), shape.slice(1));
      const [block, lane] = [divide(word, 4), modulo(word, 4)];
      const words = [0, 1, 2, 3].map((i) => writer.value(counter, [literal(i)]));
      const keys = [0, 1].map((i) => writer.value(key, [literal(i)]));
      const name = writer.once(`philox ${keys.join()} ${words.join()} ${block.key} ${sample.key}`, () => {
        const first = `${words[0]} + ${writer.index(block)}`;
        const second = `${words[1]} + ${writer.index(sample)}`;
        return writer.let(
          'w',
          writer.call('philox', `vec2u(${keys.join(', ')})`, `vec4u(${first}, ${second}, ${words[2]}, ${words[3]})`),
        );
      });
      return writer.let('v', sizeOf(shape.slice(1)) === 1 ? `${name}.x` : `${name}[${writer.index(lane)}]`);
    },
  ),
];
