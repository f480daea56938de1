import { elementwiseComposite, expm1, greater, maximum, minimum, where, type Tensor } from '@flow-matching/tensor';

const alpha = 1.6732632423543772;
const scale = 1.0507009873554805;

/** λ·x for positive x and λα(exp(x) − 1) for the others (Klambauer et al. 2017, "Self-normalizing neural networks"). */
export const selu: (x: Tensor) => Tensor = elementwiseComposite(
  'Selu',
  (x) =>
    maximum(x, 0)
      .add(expm1(minimum(x, 0)).mul(alpha))
      .mul(scale),
  ([x], y) => where(greater(x, 0), scale, y.add(scale * alpha)),
);
