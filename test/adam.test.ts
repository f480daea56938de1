import { constant, f32, grad, hostArray, hostScalar, trace, type RunInputs } from '@flow-matching/tensor';
import { adam } from '@flow-matching/plugins';
import { expect } from 'chai';
import { onEachBackend } from './support/backends.ts';
import { oracle } from './support/oracles.ts';

const { init, target, trajectory } = oracle<{ init: number[]; target: number[]; trajectory: number[][] }>('adam');

onEachBackend("adam against PyTorch's twenty steps", (backend, roundOff) => {
  it('reaches each of them', async () => {
    const optimizer = adam({ learningRate: 0.05 });
    const type = f32([init.length]);
    const graph = trace(
      ({ parameter, firstMoment, secondMoment, step, learningRate }) => {
        // Σ i(pᵢ − targetᵢ)² + Σ sin pᵢ
        const gradient = grad(
          (p) =>
            p
              .sub(constant(target))
              .square()
              .mul(constant([1, 2, 3, 4, 5]))
              .add(p.sin())
              .sum(),
          parameter,
        );
        const updated = optimizer.update({
          parameter,
          gradient,
          state: { firstMoment, secondMoment },
          learningRate,
          step,
        });
        return { parameter: updated.parameter, ...updated.state };
      },
      { parameter: type, firstMoment: type, secondMoment: type, step: f32(), learningRate: f32() },
    );
    const executable = await backend().compile(graph, {
      aliases: graph.outputs.map(({ name }) => [name, name] as const),
    });
    let state: RunInputs = {
      parameter: hostArray(init),
      firstMoment: hostArray(init.map(() => 0)),
      secondMoment: hostArray(init.map(() => 0)),
    };
    for (const [i, expected] of trajectory.entries()) {
      const result = await executable.run({ ...state, step: hostScalar(i + 1), learningRate: hostScalar(0.05) });
      const reached = await result['parameter'].read();
      // Inputs are fed in f32, so even the f64 reference starts from rounded parameters.
      expected.forEach((value, j) =>
        expect(reached[j]).to.be.closeTo(value, 1e-5 * Math.max(roundOff / 2 ** -23, 0.1)),
      );
      state = result;
    }
    await executable.dispose();
  });
});
