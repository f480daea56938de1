import { registerRandomGraphs } from './support/registerRandomGraphs.ts';

registerRandomGraphs('f32', 150, 900_000);
