import { dtypeSets, type Attributes, type DType, type Node, type Operator, type Tensor } from '@flow-matching/tensor';
import { broadcastIndex, type KernelWriter } from '../compiler/kernelWriter.ts';
import type { IndexExpression } from '../indexing/indexExpression.ts';
import { kernelDTypes } from '../wgsl/types.ts';

/** Writes the statements that compute the element of a node's output at an index, and returns the name of its value. */
export type Write<A extends Attributes = Attributes> = (
  writer: KernelWriter,
  node: Node<A>,
  index: readonly IndexExpression[],
) => string;

/** How an operator becomes WGSL. */
export interface Lowering {
  readonly name: string;
  readonly dtypes: readonly DType[];
  /**
   * `element`: an element depends on a few elements of the operands. `view`: on one, at a known index. `reduction` and
   * `product`: on many, so that the results are computed once and kept.
   */
  readonly kind: 'element' | 'view' | 'reduction' | 'product';
  /** Cost per element, relative to an addition; infinite if results are always kept. */
  readonly cost: number;
  readonly write: Write;
  /** For a view, the operand's index of the element at an index. */
  readonly source?: (index: readonly IndexExpression[], node: Node) => readonly IndexExpression[];
}

export const { float, numeric, any } = dtypeSets(kernelDTypes);

export const lowering = <A extends Attributes>(
  { name }: Operator<A>,
  { kind, dtypes, cost = 1 }: Pick<Lowering, 'kind' | 'dtypes'> & { readonly cost?: number },
  write: Write<A>,
): Lowering => ({ name, kind, dtypes, cost, write: write as Write });

/** The expression of an element from those of the broadcast operands. */
export type Expression<A extends Attributes = Attributes> = (
  writer: KernelWriter,
  operands: readonly string[],
  node: Node<A>,
) => string;

/** An elementwise operator on broadcast operands. */
export const elementwise = <A extends Attributes>(
  operator: Operator<A>,
  dtypes: readonly DType[],
  cost: number,
  expression: Expression<A>,
): Lowering =>
  lowering(operator, { kind: 'element', dtypes, cost }, (writer, node, index) => {
    const operands = node.inputs.map((input) => writer.value(input, broadcastIndex(index, input.shape)));
    // WGSL evaluates expressions of literals at compile time, and refuses a kernel if that overflows or is undefined.
    const named = operands.some(isName) ? operands : operands.map((operand) => writer.let('v', operand));
    return writer.let('v', expression(writer, named, node));
  });

/**
 * Like {@link elementwise}, for operators whose result reveals whether operands were rounded: f16 operands are rounded first,
 * because kernels compute in f32.
 */
export const elementwiseOfRounded = <A extends Attributes>(
  operator: Operator<A>,
  dtypes: readonly DType[],
  cost: number,
  expression: Expression<A>,
): Lowering =>
  elementwise(operator, dtypes, cost, (writer, operands, node) => {
    const rounded = operands.map((operand, i) => roundedOperand(writer, node.inputs[i], operand));
    return expression(writer, rounded, node);
  });

/** An operand as it would be read from memory. */
export const roundedOperand = (writer: KernelWriter, tensor: Tensor, value: string): string =>
  tensor.dtype === 'f16' && isName(value) && !writer.isLoaded(tensor)
    ? writer.once(`rounded ${value}`, () => writer.let('v', writer.call('toHalf', value)))
    : value;

/** Whether a value is a variable of the kernel and not a literal. */
const isName = (value: string): boolean => /^[a-z]+\d+$/.test(value);

/** An operator whose elements are those of its first operand at other positions. */
export const view = <A extends Attributes>(
  operator: Operator<A>,
  source: (index: readonly IndexExpression[], node: Node<A>) => readonly IndexExpression[],
): Lowering => ({
  ...lowering(operator, { kind: 'view', dtypes: any, cost: 0 }, (writer, node, index) =>
    writer.value(node.inputs[0], source(index, node)),
  ),
  source: source as Lowering['source'] & {},
});
