import * as fm from '@flow-matching/tensor';
import { hostScalar, trace, type Backend, type BackendArray, type Tensor } from '@flow-matching/tensor';

const [rows, width] = [16, 200];
const matrix = fm.f32([width, width]);

/** A training step in small: noise, a loss, its gradient, momentum; 160 kB a matrix. */
const step = trace(
  ({ weight, momentum, key, count }) => {
    const x = new fm.Random({ key, firstSample: fm.constant(0, 'u32'), step: count }).normal([rows, width]);
    const { value, gradient } = fm.valueAndGrad((w: Tensor) => fm.mean(fm.silu(x.matmul(w)).sub(x).square()), weight);
    const next = momentum.mul(0.9).add(gradient);
    return { loss: value, weight: weight.sub(next.mul(0.01)), momentum: next, count: count.add(1) };
  },
  { weight: matrix, momentum: matrix, key: fm.u32([2]), count: fm.u32() },
);

/** How many bytes the process grows by over `steps` steps that follow `warmUp` steps. */
export async function growthOver(
  backend: Backend,
  warmUp: number,
  steps: number,
): Promise<{ rss: number; external: number }> {
  const executable = await backend.compile(step, {
    aliases: ['weight', 'momentum', 'count'].map((name) => [name, name] as const),
  });
  const key = fm.hostArray(Uint32Array.of(1, 2));
  let state: Record<string, BackendArray> = {
    weight: backend.array({ ...matrix, data: new Float32Array(width * width) }),
    momentum: backend.array({ ...matrix, data: new Float32Array(width * width) }),
    count: backend.array(hostScalar(0, 'u32')),
  };
  const run = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const { loss, ...next } = await executable.run({ ...state, key });
      loss.dispose();
      state = next;
    }
  };
  await run(warmUp);
  const before = process.memoryUsage();
  await run(steps);
  const after = process.memoryUsage();
  await executable.dispose();
  return { rss: after.rss - before.rss, external: after.external - before.external };
}
