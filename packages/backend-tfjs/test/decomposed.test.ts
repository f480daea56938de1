import { backendCases, runConformance, type ConformanceReport } from '@flow-matching/conformance';
import { assert } from 'chai';
import { brokenCases } from '../../../test/support/brokenCases.ts';
import { webgl } from '../src/interpreted/engines/webgl.ts';
import { webgpu } from '../src/interpreted/engines/webgpu.ts';
import type { EngineKind } from '../src/interpreted/engines/engine.ts';
import { backendOn } from '../src/interpreted/interpretedBackend.ts';
import { faultyEngine } from './support/faultyEngine.ts';

const decomposed = { ...webgpu.decomposed, ...webgl.decomposed };

async function report(operator: string, by: EngineKind['decomposed']): Promise<ConformanceReport> {
  const named = operator.toLowerCase();
  const cases = backendCases().filter(
    ({ id, level }) => level >= 1 && level <= 3 && id.split('/')[1].toLowerCase() === named,
  );
  const engine = await faultyEngine(by);
  return runConformance(() => backendOn(engine), { cases });
}

describe('of kernels with the faults of a GPU', () => {
  for (const operator of ['Pad', 'Slice', 'Max', 'Gelu', 'ReduceLogSumExp'])
    it(`${operator} takes six axes although kernels take four`, async () => {
      assert.deepEqual(brokenCases(await report(operator, decomposed)), []);
    });

  for (const [operator, fault] of Object.entries(decomposed)) {
    it(`${operator} is composed so that it conforms although ${fault}`, async () => {
      assert.deepEqual(brokenCases(await report(operator, decomposed)), []);
      const { [operator]: _, ...others } = decomposed;
      assert.isNotEmpty(brokenCases(await report(operator, others)), 'the fault shows');
    });
  }
});
