import { conformanceOfBackends, fastSubjects, interpretedSubjects } from './support/conformanceOf.ts';

conformanceOfBackends(fastSubjects, [4]);
conformanceOfBackends(interpretedSubjects, [0, 1, 2]);
