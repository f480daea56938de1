import { conformanceOfBackends, interpretedSubjects } from './support/conformanceOf.ts';
import { withoutGrowth } from './support/conformanceOfSubject.ts';

// What costs least for what it catches; conformance.slow.test.ts has the rest. Edges are of every operator, and derivatives go through every
// lowering and every fusion.
conformanceOfBackends(['onnx'], [2, 3]);
conformanceOfBackends(['onnx'], [4], (id) => /^L4\/(optimal-transport|dopri5|sampling)\//.test(id));
conformanceOfBackends(interpretedSubjects, [0, 2], withoutGrowth);
