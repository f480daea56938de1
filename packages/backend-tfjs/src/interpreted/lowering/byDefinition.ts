import { evaluateOperator, toStorage } from '@flow-matching/core';
import type { Lower } from './lowering.ts';

/** In JavaScript, over the engine's memory, as the reference has it: right and slow. */
export const byDefinition: Lower = (operations, inputs, node) => {
  const operands = inputs.map((x, i) => operations.elements(x, node.inputs[i]));
  const [{ shape, dtype }] = node.outputs;
  const { data } = evaluateOperator(node, operands);
  return operations.upload({ data: toStorage(data, dtype), shape, dtype });
};
