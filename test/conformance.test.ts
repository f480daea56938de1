import { conformanceOfBackends } from './support/conformanceOf.ts';

conformanceOfBackends([0, 1, 2, 3, 5, 6]);
