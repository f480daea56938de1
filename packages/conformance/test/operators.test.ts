import { assert } from 'chai';
import { createReferenceBackend, type Backend } from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
import { edgeCases } from '../src/suites/edgeCases.ts';
import { operatorCases } from '../src/suites/operatorCases.ts';
import { runConformance, type ConformanceReport } from '../src/index.ts';

const cases = [...operatorCases(), ...edgeCases()];
const { manifest } = createReferenceBackend();

const run = (create: () => Backend): Promise<ConformanceReport> => runConformance(create, { cases });

/** What did not pass, with why: what a failing test shows. */
const broken = ({ results }: ConformanceReport): string[] =>
  results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id, message }) => `${id}: ${message}`);

describe('cases of operators and their edges', () => {
  it('have names of their own', () => {
    const ids = cases.map(({ id }) => id);
    assert.deepEqual(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      [],
    );
  });

  it('cover every operator for every dtype that the reference takes', () => {
    const covered = new Set(operatorCases().map(({ id }) => id.split('/').slice(1, 3).join(' ')));
    const wanted = [...manifest].flatMap(([operator, dtypes]) => dtypes.map((dtype) => `${operator} ${dtype}`));
    assert.deepEqual(
      wanted.filter((name) => !covered.has(name)),
      [],
    );
  });

  it('all pass on the reference', async () => {
    const report = await run(createReferenceBackend);
    assert.deepEqual(broken(report), []);
    assert.isTrue(report.results.every(({ status }) => status === 'pass'));
  });

  it('pass on ONNX Runtime but for what it does not declare', async () => {
    const report = await run(() => onnx());
    assert.deepEqual(broken(report), []);
    const missing = report.results.filter(({ status }) => status === 'unsupported').map(({ id }) => id.split('/'));
    assert.sameMembers(
      [...new Set(missing.map(([, operator, dtype]) => `${operator} ${dtype}`))],
      // Convolutions, and what is made of them, are of f32; ONNX Runtime negates and reduces no u32 and has no error function of f64.
      [
        ...['f64', 'i32', 'u32'].flatMap((dtype) =>
          ['Conv', 'ConvInputGradient', 'ConvWeightGradient'].map((operator) => `${operator} ${dtype}`),
        ),
        ...['AveragePool', 'Erf', 'Gelu'].map((operator) => `${operator} f64`),
        ...['Neg', 'ReduceMax', 'ReduceMin', 'ReduceSum'].map((operator) => `${operator} u32`),
      ],
    );
  });
});
