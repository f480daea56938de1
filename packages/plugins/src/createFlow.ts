import { assembleFlow, type Flow, type FlowParts } from '@flow-matching/core';
import { independent } from './couplings/independent.ts';
import { mlp } from './models/mlp.ts';
import { conditionalFlowMatching } from './objectives/conditionalFlowMatching.ts';
import { optimalTransport } from './paths/optimalTransport.ts';
import { dopri5 } from './solvers/dopri5.ts';
import { uniform } from './timeSamplers/uniform.ts';

/**
 * Makes a flow from a backend. Other parts default to the paper's two-dimensional setup (optimal-transport path, independent
 * coupling, conditional flow matching, uniform times, an MLP of five layers of 512, dopri5).
 *
 *     const flow = await createFlow({ backend: onnx() })
 */
export function createFlow({ backend, ...parts }: Pick<FlowParts, 'backend'> & Partial<FlowParts>): Promise<Flow> {
  return assembleFlow({
    path: optimalTransport(),
    coupling: independent(),
    objective: conditionalFlowMatching(),
    timeSampler: uniform(),
    model: mlp(),
    solver: dopri5(),
    ...parts,
    backend,
  });
}
