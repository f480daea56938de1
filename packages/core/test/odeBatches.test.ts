import { expect } from 'chai';
import type { Solver } from '../src/contracts/solver.ts';
import { solveInBatches } from '../src/drivers/odeBatches.ts';
import type { OdePrograms } from '../src/drivers/odePrograms.ts';
import type { OdeResult } from '../src/solve/odeProgram.ts';
import { hostArray, hostScalar } from '@flow-matching/tensor';

describe('a solve in batches', () => {
  it('joins more batches than a call takes arguments', async () => {
    const count = 150_000;
    const usual: OdeResult = {
      y: {},
      status: ['done'],
      t: Float64Array.of(1),
      evaluations: Int32Array.of(4),
      accepted: Int32Array.of(2),
      rejected: Int32Array.of(0),
      error: Float64Array.of(0),
      h: Float64Array.of(1),
      rowSteps: 2,
    };
    // One sample takes more work than the others.
    const result = (sample: number): OdeResult => ({
      ...usual,
      y: { x: hostArray(Float32Array.of(sample), [1], 'f32') },
      ...(sample === 1000 && { evaluations: Int32Array.of(9) }),
    });
    let next = 0;
    const programs = {
      open: async () => ({ run: async () => result(next++), dispose: async () => {} }),
    } as unknown as OdePrograms;
    const { y, counts } = await solveInBatches(
      {
        programs,
        solver: { name: 'none' } as Solver,
        request: (rows) => ({ rows, context: { shape: [] }, arrays: {} }),
        count,
        start: 0,
        end: 1,
        arrays: {},
        inputs: () => ({ key: hostScalar(0), firstSample: hostScalar(0) }),
      },
      { batchSize: 1 },
    );
    expect(y['x'].shape).to.deep.equal([count]);
    expect(y['x'].data.at(-1)).to.equal(count - 1);
    expect(counts).to.deep.include({ functionEvaluations: 9, acceptedSteps: 2, rejectedSteps: 0 });
    expect(counts.status).to.have.length(count);
  });
});
