import { f32, trace, type Backend, type Executable } from '@flow-matching/tensor';
import { checkerboard, mlp } from '@flow-matching/plugins';
import { benchFlow, benchOptimizer } from '../experiment.ts';
import type { Contestant, PreparedContest } from './contestant.ts';
import { productInputs } from './contestInputs.ts';
import { layerSizes, type WebgpuWork } from './webgpuWorks.ts';

/** A backend used as library users do: the public training step, and a graph of one product. */
export const backendContestant = (backend: Backend, description: string): Contestant => ({
  description,
  prepare: (work) => (work.kind === 'training' ? prepareTraining(backend, work) : prepareProduct(backend, work)),
});

/** A report after every step, which has its loss. */
async function prepareTraining(backend: Backend, { size, width }: WebgpuWork): Promise<PreparedContest> {
  const depth = layerSizes(width).length - 1;
  const flow = await benchFlow(backend, { model: mlp({ width, depth, activation: 'silu' }) });
  const training = await flow.begin(checkerboard(), {
    optimizer: benchOptimizer(),
    steps: 1e9,
    batchSize: size,
    reportEvery: 1,
  });
  const reports = training[Symbol.asyncIterator]();
  let loss = Number.NaN;
  return {
    run: async (operations) => {
      for (let i = 0; i < operations; i++) {
        const report = await reports.next();
        if (!report.done) loss = report.value.loss;
      }
    },
    check: async () => loss,
    // The flow would take the backend along.
    release: () => training.dispose(),
  };
}

async function prepareProduct(backend: Backend, work: WebgpuWork): Promise<PreparedContest> {
  const matrix = f32([work.width, work.width]);
  const product = await backend.compile(trace(({ x, w }) => ({ y: x.matmul(w) }), { x: matrix, w: matrix }));
  const corner = await backend.compile(
    trace(({ x }) => ({ corner: x.slice(0, 0, 1).slice(1, 0, 1).reshape([1]) }), { x: matrix }),
  );
  const inputs = productInputs(work);
  const [x, w] = [backend.array(inputs.x), backend.array(inputs.w)];
  let last = Number.NaN;
  return {
    run: async (operations) => {
      let y = x;
      for (let i = 0; i < operations; i++) {
        const next = (await product.run({ x: y, w }))['y'];
        if (y !== x) y.dispose();
        y = next;
      }
      last = await read(corner, y);
      y.dispose();
    },
    check: async () => last,
    release: async () => {
      x.dispose();
      w.dispose();
      await product.dispose();
      await corner.dispose();
    },
  };
}

async function read(corner: Executable, x: Parameters<Executable['run']>[0][string]): Promise<number> {
  const result = (await corner.run({ x }))['corner'];
  const [value] = await result.read();
  result.dispose();
  return value;
}
