import { adam, cosineSchedule, dopri5, importance, mlp, uniform } from '@flow-matching/plugins';
import { onEachBackend } from './support/backends.ts';
import { expectWithin } from './support/evaluate.ts';
import { checkConvertedFlow, predictions } from './support/exactFlows.ts';
import { gaussianData, smallFlow } from './support/flows.ts';
import { nested } from './support/ode.ts';
import { oneSidedPaths } from './support/paths.ts';

onEachBackend('every objective on every path', (backend, roundOff) => {
  for (const { objective, predicts } of predictions) {
    for (const [label, path] of Object.entries(oneSidedPaths)) {
      it(`${objective.name} on ${label} carries noise to Gaussian data and back`, () =>
        checkConvertedFlow(backend(), path, objective, predicts));
    }
    if (roundOff < 1e-10) continue;

    const path = oneSidedPaths['variance-preserving'];
    it(`${objective.name} trains a network to the data's mean and std`, async () => {
      const timeSampler = objective.name === 'score-flow' ? importance() : uniform();
      const flow = await smallFlow(backend(), { path, objective, timeSampler, model: mlp({ width: 64, depth: 4 }) });
      const optimizer = adam({ learningRate: 3e-3, schedule: cosineSchedule({ warmup: 50 }) });
      for await (const _ of flow.train(gaussianData([2, -1], 0.5), {
        optimizer,
        steps: 1500,
        batchSize: 256,
        seed: 1,
      }));
      const { samples } = await flow.sample(2000, { seed: 2, solver: dopri5({ rtol: 1e-3, atol: 1e-3 }) });
      await flow.dispose();
      const rows = nested(samples);
      for (const [i, mean] of [2, -1].entries()) {
        const column = rows.map((row) => row[i]);
        const average = column.reduce((sum, value) => sum + value, 0) / column.length;
        const std = Math.sqrt(column.reduce((sum, value) => sum + (value - average) ** 2, 0) / column.length);
        // Sampling errors are 0.011 and 0.008; the rest is what a small network may miss, x1-prediction most: its error grows towards the data.
        expectWithin([average, std], [mean, 0.5], [0.25, 0.25], `mean and std of dimension ${i}`);
      }
    }).timeout(120_000);
  }
});
