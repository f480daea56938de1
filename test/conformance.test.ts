import { conformanceOfBackends, interpretedSubjects } from './support/conformanceOf.ts';

// Of the operators' levels what costs least for what it catches: derivatives go through every lowering and every fusion.
conformanceOfBackends(['onnx'], [2, 3]);
// Of the mathematics a path and a solver; conformance.slow.test.ts has them all.
conformanceOfBackends(['onnx', 'tfjs'], [4], ['L4/optimal-transport/', 'L4/dopri5/', 'L4/sampling/']);
conformanceOfBackends(interpretedSubjects, [0, 1, 2]);
