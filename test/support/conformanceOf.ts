import { onnx } from '@flow-matching/backend-onnx';
import { tfjs } from '@flow-matching/backend-tfjs';
import { isTensorflowInstalled } from '@flow-matching/backend-tfjs/native';
import type { Level } from '@flow-matching/conformance';
import { createReferenceBackend } from '@flow-matching/tensor';
import { conformanceOfSubject, type Subject } from './conformanceOfSubject.ts';

/** What a backend leaves out of Cast that has no f16. */
const castsTo16 = ['f32', 'f64', 'i32', 'u32', 'bool'].map((dtype) => `Cast ${dtype}`);

const subjects: readonly Subject[] = [
  { name: 'reference', create: createReferenceBackend, undeclared: [] },
  {
    name: 'onnx',
    create: () => onnx({ threads: 2 }),
    // Convolutions, and what is made of them, are of f32; ONNX Runtime negates and reduces no u32 and has no error function of f64.
    absentDTypes: ['f16'],
    undeclared: [
      ...castsTo16,
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
    absentDTypes: ['f16'],
    undeclared: [
      ...castsTo16,
      ...['i32', 'u32'].flatMap((dtype) =>
        ['Conv', 'ConvInputGradient', 'ConvWeightGradient'].map((operator) => `${operator} ${dtype}`),
      ),
    ],
    absent: isTensorflowInstalled() ? undefined : 'npm run setup:tensorflow has not run',
  },
  { name: 'tfjs (wasm)', create: () => tfjs({ engine: 'wasm' }), undeclared: [] },
  { name: 'tfjs (cpu)', create: () => tfjs({ engine: 'cpu' }), undeclared: [] },
];

/** Backends that are quick at every level. */
export const fastSubjects: readonly string[] = ['reference', 'onnx', 'tfjs'];
export const interpretedSubjects: readonly string[] = ['tfjs (wasm)', 'tfjs (cpu)'];

/** Registers levels of the suite for backends, a test for each level: all cases, or those with `chosen` ids. */
export function conformanceOfBackends(
  names: readonly string[],
  levels: readonly Level[],
  chosen?: (id: string) => boolean,
): void {
  for (const subject of subjects.filter(({ name }) => names.includes(name)))
    conformanceOfSubject(subject, levels, chosen);
}
