export { evaluateGraph } from './evaluateGraph.ts';
export { createReferenceBackend } from './referenceBackend.ts';
