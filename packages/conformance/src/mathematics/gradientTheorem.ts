import { concat, sizeOf, valueAndGrad, type Tensor } from '@flow-matching/tensor';
import { conditionalFlowMatching } from '@flow-matching/plugins';
import type { CaseContext } from '../case/conformanceCase.ts';
import { statistical } from '../case/limit.ts';
import { compare } from './compare.ts';
import { evaluate, floats, type Arrays } from './evaluate.ts';
import type { PathTrial } from './pathSamples.ts';
import { meanAndError } from './sampleMoments.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** Data along a path with its known marginal field. */
export interface KnownData {
  /** Inputs of the formulas besides times and noise, each [count, ...]. */
  draw(count: number): Arrays;
  /** ψ_t(noise) and its velocity, [count, ...event]. */
  flow(t: Tensor, noise: Tensor, given: Tensors): { x: Tensor; velocity: Tensor };
  /** u_t(x), [count, ...event]. */
  field(t: Tensor, x: Tensor, given: Tensors): Tensor;
}

const blocks = 64;
const blockSize = 256;

/**
 * Measures Lipman et al. 2023, Theorem 2: the gradients of ‖v − u_t(x)‖² and ‖v − u_t(x | z)‖² agree on average. The model is
 * affine in x and t. Each block of draws gives a difference of the two gradients; the mean difference is zero within its
 * standard error. Times stay away from the interval's ends, where targets have no variance on some paths.
 */
export async function measureGradientTheorem(
  context: CaseContext,
  { path, shape }: PathTrial,
  data: KnownData,
): Promise<void> {
  const { random } = context;
  const count = blocks * blockSize;
  const width = sizeOf(shape);
  const [start, end] = [1 / 64, 63 / 64].map((share) => path.interval.start * (1 - share) + path.interval.end * share);
  const repeated = (rows: number): Arrays[string] => {
    const one = random.normal([rows, width], 0.5).data;
    return floats(
      Array.from({ length: blocks * one.length }, (_, i) => one[i % one.length]),
      [blocks, rows, width],
    );
  };
  const { difference } = await evaluate(
    context,
    ({ t, noise, weight, drift, bias, ...given }) => {
      const { x, velocity } = data.flow(t, noise, given);
      const gradientOf = (target: Tensor): Tensor => {
        const sample = { path, t, z: { x1: x }, noise, x, velocity: target };
        // Each block has separate parameters, so that one reverse pass gives the gradients of all.
        const { gradient } = valueAndGrad(
          (at) => {
            const prediction = x
              .reshape([blocks, blockSize, width])
              .matmul(at.weight)
              .add(t.reshape([blocks, blockSize, 1]).mul(at.drift))
              .add(at.bias);
            return conditionalFlowMatching().loss(prediction.reshape(x.shape), sample).sum().div(blockSize);
          },
          { weight, drift, bias },
        );
        return concat([gradient.weight, gradient.drift, gradient.bias], 1).reshape([blocks, -1]);
      };
      return { difference: gradientOf(data.field(t, x, given)).sub(gradientOf(velocity)) };
    },
    {
      t: random.uniform([count], start, end),
      noise: random.normal([count, ...shape]),
      ...data.draw(count),
      weight: repeated(width),
      drift: repeated(1),
      bias: repeated(1),
    },
  );
  const parameters = difference.shape[1];
  const { means, errors } = meanAndError(difference.data, parameters);
  const mean = { data: means, shape: [parameters], dtype: 'f32' as const };
  // Student's t with 63 degrees of freedom lies beyond 7.5 with probability 3·10⁻¹⁰.
  compare(
    context,
    'the mean difference of gradients',
    mean,
    new Float64Array(parameters),
    statistical(errors, 7.5, 1e-6),
  );
}
