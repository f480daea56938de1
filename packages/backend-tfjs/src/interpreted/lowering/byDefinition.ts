import { evaluateOperator, toStorage, type HostArray, type Node } from '@flow-matching/tensor';
import { wide } from '../wide.ts';
import type { Lower } from './lowering.ts';

/** Operators whose result reveals whether their operands were rounded. */
const revealing = new Set(['Cast', 'Equal', 'Floor', 'IsNaN', 'Less', 'LessOrEqual', 'Mod', 'Round', 'Sign']);

const reveals = ({ operator, inputs }: Node): boolean =>
  revealing.has(operator.name) || (operator.name === 'Sub' && inputs[0] === inputs[1]);

/**
 * In JavaScript, on the engine's memory, as the reference defines it: correct and slow. Between operators an f16 is stored as
 * an f32, so that the sum in a mean does not overflow; it is rounded where the result would reveal it.
 */
export const byDefinition: Lower = (operations, inputs, node) => {
  const operands = inputs.map((x, i) => operations.elements(x, node.inputs[i]));
  const [{ shape, dtype }] = node.outputs;
  const { data } = evaluateOperator(node, reveals(node) ? operands.map(rounded) : operands);
  // A cast must round.
  const held = node.operator.name === 'Cast' ? toStorage(data, dtype) : toStorage(data, wide(dtype));
  return operations.upload({ data: held, shape, dtype: wide(dtype) });
};

const rounded = ({ data, shape, dtype }: HostArray): HostArray => ({ data: toStorage(data, dtype), shape, dtype });
