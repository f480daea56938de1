import { onnx } from '@flow-matching/backend-onnx';
import { adam, checkerboard, cosineSchedule, createFlow, dopri5, mlp, optimalTransport } from '@flow-matching/plugins';

const backend = onnx();
const flow = await createFlow({
  backend,
  path: optimalTransport({ sigmaMin: 1e-5 }),
  model: mlp({ width: 128, depth: 4 }),
});

const data = checkerboard();
const optimizer = adam({ learningRate: 3e-3, schedule: cosineSchedule({ warmup: 50 }) });
for await (const { step, loss } of flow.train(data, { optimizer, steps: 500, batchSize: 512, reportEvery: 100 })) {
  console.log(`step ${step}  loss ${loss.toFixed(3)}`);
}

const { samples, functionEvaluations } = await flow.sample(1000, {
  solver: dopri5({ rtol: 1e-5, atol: 1e-5 }),
  seed: 1,
});
console.log(`samples ${samples.shape.join(' × ')} in ${functionEvaluations} evaluations of the field`);

const { x1 } = await data.batch({ index: 0, size: 1000, seed: 0, split: 'test' });
const { logLikelihood } = await flow.logLikelihood(x1, { divergence: 'exact' });
const nll = -logLikelihood.reduce((sum, value) => sum + value, 0) / logLikelihood.length;
console.log(`negative log-likelihood ${nll.toFixed(3)} nats; the data's entropy is ${Math.log(32).toFixed(3)}`);

await flow.dispose();
await backend.dispose();
