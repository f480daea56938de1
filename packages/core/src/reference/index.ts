export { evaluateGraph } from './evaluateGraph.ts';
export { createReferenceBackend, ReferenceBackend } from './referenceBackend.ts';
