import type * as Tfjs from '@tensorflow/tfjs';
import type { Contestant, PreparedContest } from './contestant.ts';
import { adamSettings, batches, initialParameters, productInputs, sigmaMin } from './contestInputs.ts';
import { installDawn } from './installDawn.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

/** The webgpu backend of TensorFlow.js, eager: it has no other way. */
export async function tfjsContestant(): Promise<Contestant> {
  const adapter = await installDawn();
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('The webgpu backend of TensorFlow.js does not start.');
  await tf.ready();
  return {
    description: adapter,
    prepare: async (work) => (work.kind === 'training' ? prepareTraining(tf, work) : prepareProduct(tf, work)),
  };
}

function prepareTraining(tf: typeof Tfjs, work: WebgpuWork): PreparedContest {
  const { size } = work;
  const { learningRate, beta1, beta2, epsilon } = adamSettings;
  const parameters = initialParameters(work).map(({ data, shape }) =>
    tf.variable(tf.tensor(data as Float32Array, [...shape], 'float32')),
  );
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const nextBatch = batches(work);
  const network = (input: Tfjs.Tensor2D): Tfjs.Tensor =>
    parameters.reduce<Tfjs.Tensor>((x, parameter, i) => {
      if (i % 2 === 0) return tf.matMul(x, parameter);
      const sum = tf.add(x, parameter);
      return i < parameters.length - 1 ? tf.mul(sum, tf.sigmoid(sum)) : sum;
    }, input);
  const loss = (x1: Tfjs.Tensor2D): Tfjs.Scalar => {
    const noise = tf.randomNormal<Tfjs.Rank.R2>([size, 2]);
    const t = tf.randomUniform<Tfjs.Rank.R2>([size, 1]);
    const std = tf.sub(1, tf.mul(t, 1 - sigmaMin));
    const x = tf.add<Tfjs.Tensor2D>(tf.mul(std, noise), tf.mul(t, x1));
    const velocity = tf.sub(x1, tf.mul(noise, 1 - sigmaMin));
    return tf.mean(tf.square(tf.sub(network(tf.concat2d([x, t], 1)), velocity)));
  };
  let last = Number.NaN;
  return {
    run: async (operations) => {
      for (let i = 0; i < operations; i++) {
        const x1 = tf.tensor2d(await nextBatch(), [size, 2]);
        const value = optimizer.minimize(() => loss(x1), true, parameters)!;
        last = (await value.data())[0];
        tf.dispose([x1, value]);
      }
    },
    check: async () => last,
    release: async () => {
      optimizer.dispose();
      tf.dispose(parameters);
    },
  };
}

function prepareProduct(tf: typeof Tfjs, work: WebgpuWork): PreparedContest {
  const { x, w } = productInputs(work);
  const shape: [number, number] = [work.width, work.width];
  const [first, weight] = [x, w].map(({ data }) => tf.tensor2d(data as Float32Array, shape));
  let last = Number.NaN;
  return {
    run: async (operations) => {
      const corner = tf.tidy(() => {
        let y = first;
        for (let i = 0; i < operations; i++) y = tf.matMul(y, weight);
        return tf.slice(y, [0, 0], [1, 1]);
      });
      last = (await corner.data())[0];
      corner.dispose();
    },
    check: async () => last,
    release: async () => tf.dispose([first, weight]),
  };
}
