import type { Node } from '@flow-matching/tensor';
import { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution.ts';
import { matrixProduct } from './matrixProduct.ts';
import type { Product } from './product.ts';

const products: Readonly<Record<string, (node: Node) => Product>> = {
  MatMul: matrixProduct,
  Conv: convolution,
  ConvInputGradient: convolutionInputGradient,
  ConvWeightGradient: convolutionWeightGradient,
};

export const productOf = (node: Node): Product => products[node.operator.name](node);
