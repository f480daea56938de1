import { compileProgram, webgpuManifest } from '@flow-matching/backend-webgpu';
import { prepareGraph } from '@flow-matching/tensor';
import { expect } from 'chai';
import { leastGpu, processor } from './support/profiles.ts';
import { trainingStep } from './support/stepGraphs.ts';

// The paper's network, batch 256, with Adam and a moving average: what a step costs is the same on every machine.

describe('a training step on WebGPU', () => {
  for (const [name, profile, kernels, megabytes] of [
    ['a processor', processor, 22, 62],
    ['a GPU', leastGpu, 32, 74],
  ] as const) {
    it(`takes ${kernels} dispatches and moves ${megabytes} MB on ${name}`, async () => {
      const { graph: source, aliases } = await trainingStep(256);
      const { graph, randomness } = prepareGraph(source, webgpuManifest(profile), 'webgpu');
      const program = compileProgram(graph, aliases, profile);
      expect(program.kernels).to.have.length(kernels);
      expect(Math.round(program.kernels.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6)).to.equal(megabytes);
      // Noise and times are drawn in the kernels: the points and a few numbers are all that comes in.
      expect(randomness).to.equal(undefined);
      const fed = program.inputs.filter(({ name }) => !name.startsWith('state.')).map(({ name }) => name);
      expect(fed).to.have.members(['x1', 'seed.key', 'seed.step', 'learningRate', 'step', 'emaDecay']);
      // All of the large state is updated where it is.
      for (const { name, tensor, reuses } of program.outputs)
        if (tensor.size > 1024) expect(reuses, name).to.equal(name);
    });
  }
});
