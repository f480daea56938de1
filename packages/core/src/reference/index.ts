export { evaluateGraph, evaluateOperator } from './evaluateGraph.ts';
export { createReferenceBackend } from './referenceBackend.ts';
