import type * as JaxModule from '@jax-js/jax';
import type { HostArray } from '@flow-matching/tensor';
import type { Contestant, PreparedContest } from './contestant.ts';
import { adamSettings, batches, initialParameters, productInputs, sigmaMin } from './contestInputs.ts';
import { installDawn } from './installDawn.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

type Jax = typeof JaxModule;
type JaxArray = JaxModule.Array;

/** jax-js with a step, Adam included, under one jit. Its functions use up their arguments; `ref` keeps one. */
export async function jaxJsContestant(): Promise<Contestant> {
  const adapter = await installDawn();
  const jax = await import('@jax-js/jax');
  const devices = await jax.init();
  if (!devices.includes('webgpu')) throw new Error('jax-js finds no WebGPU.');
  jax.defaultDevice('webgpu');
  return {
    description: adapter,
    prepare: async (work) => (work.kind === 'training' ? prepareTraining(jax, work) : prepareProduct(jax, work)),
  };
}

const uploaded = ({ numpy }: Jax, { data, shape }: Pick<HostArray, 'data' | 'shape'>): JaxArray =>
  numpy.array(data).reshape([...shape]);

function prepareTraining(jax: Jax, work: WebgpuWork): PreparedContest {
  const { numpy: np, random } = jax;
  const { learningRate, beta1, beta2 } = adamSettings;
  const { size } = work;
  const step = trainingStep(jax, size);
  let parameters = initialParameters(work).map((array) => uploaded(jax, array));
  let first = parameters.map(({ shape }) => np.zeros(shape));
  let second = parameters.map(({ shape }) => np.zeros(shape));
  const nextBatch = batches(work);
  let [count, last] = [0, Number.NaN];
  return {
    run: async (operations) => {
      for (let i = 0; i < operations; i++) {
        const x1 = uploaded(jax, { data: await nextBatch(), shape: [size, 2] });
        const keys = random.split(random.key(count++), 2);
        const rate = np.array(learningRate / (1 - beta1 ** count));
        const correction = np.array(1 / (1 - beta2 ** count));
        const result = step(parameters, first, second, x1, keys, rate, correction);
        let loss: JaxArray;
        [parameters, first, second, loss] = result;
        last = (await loss.data())[0];
      }
    },
    check: async () => last,
    release: async () => {
      for (const array of [...parameters, ...first, ...second]) array.dispose();
      step.dispose();
    },
  };
}

function trainingStep(jax: Jax, size: number) {
  const { numpy: np, nn, random, jit, valueAndGrad } = jax;
  const { beta1, beta2, epsilon } = adamSettings;
  const lossOf = (parameters: JaxArray[], x1: JaxArray, noise: JaxArray, t: JaxArray): JaxArray => {
    const std = np.subtract(1, t.ref.mul(1 - sigmaMin));
    const x = noise.ref.mul(std).add(x1.ref.mul(t.ref));
    const output = parameters.reduce(
      (value, parameter, i) => {
        if (i % 2 === 0) return np.matmul(value, parameter);
        const sum = value.add(parameter);
        return i < parameters.length - 1 ? nn.silu(sum) : sum;
      },
      np.concatenate([x, t], 1),
    );
    return np.mean(np.square(output.sub(x1.sub(noise.mul(1 - sigmaMin)))));
  };
  return jit(
    (
      parameters: JaxArray[],
      first: JaxArray[],
      second: JaxArray[],
      x1: JaxArray,
      keys: JaxArray,
      rate: JaxArray,
      correction: JaxArray,
    ): [JaxArray[], JaxArray[], JaxArray[], JaxArray] => {
      const noise = random.normal(keys.ref.slice(0), [size, 2]);
      const t = random.uniform(keys.slice(1), [size, 1]);
      const kept = parameters.map((parameter) => parameter.ref);
      const [loss, gradients] = valueAndGrad(lossOf)(kept, x1, noise, t);
      const nextFirst = first.map((moment, i) => moment.mul(beta1).add(gradients[i].ref.mul(1 - beta1)));
      const nextSecond = second.map((moment, i) => moment.mul(beta2).add(np.square(gradients[i]).mul(1 - beta2)));
      const next = parameters.map((parameter, i) => {
        const root = np.sqrt(nextSecond[i].ref.mul(correction.ref)).add(epsilon);
        return parameter.sub(nextFirst[i].ref.mul(rate.ref).div(root));
      });
      rate.dispose();
      correction.dispose();
      return [next, nextFirst, nextSecond, loss];
    },
  );
}

function prepareProduct(jax: Jax, work: WebgpuWork): PreparedContest {
  const { numpy: np, jit } = jax;
  const product = jit((x: JaxArray, w: JaxArray): JaxArray => np.matmul(x, w));
  const inputs = productInputs(work);
  const [first, weight] = [uploaded(jax, inputs.x), uploaded(jax, inputs.w)];
  let last = Number.NaN;
  return {
    run: async (operations) => {
      let y = first.ref;
      for (let i = 0; i < operations; i++) y = product(y, weight.ref);
      last = (await y.slice(0).slice(0).data())[0];
    },
    check: async () => last,
    release: async () => {
      first.dispose();
      weight.dispose();
      product.dispose();
    },
  };
}
