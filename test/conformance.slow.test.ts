import { conformanceOfBackends, fastSubjects } from './support/conformanceOf.ts';

conformanceOfBackends(fastSubjects, [0, 1, 2, 3, 4, 5, 6]);
conformanceOfBackends(['tfjs (wasm)'], [0, 1, 3, 4, 5, 6]);
conformanceOfBackends(['tfjs (cpu)'], [0, 1, 3]);
