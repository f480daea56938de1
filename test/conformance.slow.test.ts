import { conformanceOfBackends } from './support/conformanceOf.ts';

conformanceOfBackends([4]);
