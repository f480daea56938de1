import { conformanceOfBackends, fastSubjects, interpretedSubjects } from './support/conformanceOf.ts';

// Of the operators' levels what costs least for what it catches: derivatives go through every lowering and every fusion.
conformanceOfBackends(['onnx'], [2, 3]);
conformanceOfBackends(fastSubjects, [4]);
conformanceOfBackends(interpretedSubjects, [0, 1, 2]);
