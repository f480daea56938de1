import { registerRandomGraphs } from './support/registerRandomGraphs.ts';

registerRandomGraphs('f32', 12, 120_000);
