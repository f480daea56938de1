import { onnx } from '@flow-matching/backend-onnx';
import { tfjs } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import { levelTitles, runConformance, type ConformanceReport, type Level } from '@flow-matching/conformance';
import { createReferenceBackend, type Backend } from '@flow-matching/core';
import { assert } from 'chai';

/** A backend of the repository as the conformance suite sees it. */
interface Subject {
  readonly name: string;
  readonly create: () => Backend | Promise<Backend>;
  /** Operators with a dtype that it does not declare. Cases end as unsupported for these and nothing else. */
  readonly undeclared: readonly string[];
  /** Why it cannot run here, if it cannot. */
  readonly absent?: string | undefined;
}

const subjects: readonly Subject[] = [
  { name: 'reference', create: createReferenceBackend, undeclared: [] },
  {
    name: 'onnx',
    create: () => onnx({ threads: 2 }),
    // Convolutions, and what is made of them, are of f32; ONNX Runtime negates and reduces no u32 and has no error function of f64.
    undeclared: [
      ...['f64', 'i32', 'u32'].flatMap((dtype) =>
        ['Conv', 'ConvInputGradient', 'ConvWeightGradient'].map((operator) => `${operator} ${dtype}`),
      ),
      ...['AveragePool', 'Erf', 'Gelu'].map((operator) => `${operator} f64`),
      ...['Neg', 'ReduceMax', 'ReduceMin', 'ReduceSum'].map((operator) => `${operator} u32`),
    ],
  },
  {
    name: 'tfjs',
    create: () => tfjs({ engine: 'node' }),
    // TensorFlow has no gradients of convolutions of integers.
    undeclared: ['i32', 'u32'].flatMap((dtype) =>
      ['Conv', 'ConvInputGradient', 'ConvWeightGradient'].map((operator) => `${operator} ${dtype}`),
    ),
    absent: isTensorflowInstalled() ? undefined : 'npm run setup:tensorflow has not run',
  },
  { name: 'tfjs (wasm)', create: () => tfjs({ engine: 'wasm' }), undeclared: [] },
  { name: 'tfjs (cpu)', create: () => tfjs({ engine: 'cpu' }), undeclared: [] },
];

/** Backends that are quick at every level. */
export const fastSubjects: readonly string[] = ['reference', 'onnx', 'tfjs'];
export const interpretedSubjects: readonly string[] = ['tfjs (wasm)', 'tfjs (cpu)'];

/** Registers levels of the suite for backends, a test for each level. */
export function conformanceOfBackends(names: readonly string[], levels: readonly Level[]): void {
  for (const { name, create, undeclared, absent } of subjects.filter((subject) => names.includes(subject.name))) {
    describe(`conformance of ${name}${absent ? ` (skipped: ${absent})` : ''}`, () => {
      before(function () {
        if (absent) this.skip();
      });
      const missing = new Set<string>();
      for (const level of levels) {
        it(`level ${level}: ${levelTitles[level]}`, async function () {
          this.timeout(300_000);
          const report = await runConformance(create, { levels: [level] });
          assert.deepEqual(broken(report), []);
          for (const { id, status } of report.results)
            if (status === 'unsupported') missing.add(id.split('/').slice(1, 3).join(' '));
        });
      }
      it('leaves out what it does not declare and nothing else', () => {
        assert.includeMembers([...undeclared], [...missing]);
        if (levels.includes(1)) assert.sameMembers([...missing], [...undeclared]);
      });
    });
  }
}

/** What did not pass, with why: what a failing test shows. */
const broken = ({ results }: ConformanceReport): string[] =>
  results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id, message }) => `${id}: ${message}`);
