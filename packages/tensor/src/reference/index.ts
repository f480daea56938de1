export { evaluateGraph, evaluateOperator, evaluateSteps } from './evaluateGraph.ts';
export { createReferenceBackend } from './referenceBackend.ts';
