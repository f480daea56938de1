import { createReferenceBackend } from '@flow-matching/tensor';
import { assert } from 'chai';
import { graphRecorder } from '../src/programs/graphRecorder.ts';
import { computeResult } from '../src/programs/programResult.ts';
import { storedResult } from '../src/programs/storedResult.ts';
import { runTraining, trainingPrograms } from '../src/programs/trainingProgram.ts';
import { programCases } from '../src/suites/programCases.ts';
import { brokenBackend, oneStepsDraws, partialUpdate } from './support/brokenBackends.ts';
import { idsByStatus } from './support/idsByStatus.ts';

describe('level 5', () => {
  for (const program of trainingPrograms) {
    it(`has the stored results of ${program.name}`, async () => {
      const { backend, graphs } = graphRecorder(createReferenceBackend());
      const results = await runTraining(program, backend);
      const parameters = Object.values(results).reduce((sum, { data }) => sum + data.length, 0);
      assert.isBelow(parameters, 20_000);
      const stored = storedResult(graphs[0].hash);
      assert(stored, 'Its graph has changed: run npm run conformance:results.');
      const computed = await computeResult(program);
      assert.sameMembers(Object.keys(stored), Object.keys(computed));
      for (const [name, { values, effect }] of Object.entries(computed)) {
        // Elementary functions of another version of JavaScript's engine may differ in their last place.
        const scale = Math.max(...values.map(Math.abs));
        values.forEach((value, i) => assert.closeTo(stored[name].values[i], value, 1e-12 * scale, name));
        // Roundings are drawn node by node, in an order that depends on which composites were used before.
        const moves = (sizes: Iterable<number>): number => Math.max(...sizes);
        assert.isTrue(moves(stored[name].effect) < 2 * moves(effect), `the effect of roundings on ${name}`);
        assert.isTrue(moves(effect) < 2 * moves(stored[name].effect), `the effect of roundings on ${name}`);
      }
    });
  }

  it(`catches ${partialUpdate.name}`, async () => {
    const trainings = programCases().filter(({ id }) => id.endsWith('ten Adam steps'));
    const { broken } = await idsByStatus(trainings, () => brokenBackend(partialUpdate));
    assert.deepEqual(broken, ['L5/mlp/f32/ten Adam steps', 'L5/convolution-attention/f32/ten Adam steps']);
  });

  it(`catches ${oneStepsDraws.name}`, async () => {
    const draws = programCases().filter(({ id }) => id.startsWith('L5/draws'));
    const { broken } = await idsByStatus(draws, () => brokenBackend(oneStepsDraws));
    assert.deepEqual(broken, ['L5/draws/f32/times and noise of eight steps']);
    const { passed } = await idsByStatus(draws);
    assert.lengthOf(passed, 1);
  });
});
