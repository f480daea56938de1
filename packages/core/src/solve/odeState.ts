import type { OdeState } from '../contracts/solver.ts';
import type { Tensor } from '../graph/tensor.ts';
import { where } from '../operators/logic.ts';
import { reshape } from '../operators/movement.ts';

/** Control quantities [control] shaped to broadcast against a state component [batch, ...]. */
export const controlAgainst = (control: Tensor, y: Tensor): Tensor =>
  reshape(control, [control.size, ...y.shape.slice(1).map(() => 1)]);

/** Applies a formula to each component of states with the same names. */
export function mapState<Names extends string>(
  formula: (...components: Tensor[]) => Tensor,
  ...states: readonly Readonly<Record<Names, Tensor>>[]
): Record<Names, Tensor> {
  const names = Object.keys(states[0]) as Names[];
  return Object.fromEntries(names.map((name) => [name, formula(...states.map((state) => state[name]))])) as Record<
    Names,
    Tensor
  >;
}

/** `a` where the condition [control] holds, `b` elsewhere, component by component. */
export const selectState = (condition: Tensor, a: OdeState, b: OdeState): Record<string, Tensor> =>
  mapState((x, y) => where(controlAgainst(condition, x), x, y), a, b);

/**
 * The root mean square over all elements of all components: over the samples that count where `perSample` is false ([1]), of
 * each sample where it is true ([batch]).
 */
export function rootMeanSquare(state: OdeState, mask: Tensor, perSample: boolean): Tensor {
  const components = Object.values(state);
  const perRow = components
    .map((component) => {
      const axes = component.shape.slice(1).map((_, i) => i + 1);
      return component.square().sum(axes);
    })
    .reduce((sum, squares) => sum.add(squares));
  const elements = components.reduce((count, component) => count + component.size / component.shape[0], 0);
  if (perSample) return perRow.div(elements).sqrt();
  // Padding that diverges must not count either: 0 times infinity is NaN.
  return where(mask.equal(0), 0, perRow)
    .sum(0, { keepdims: true })
    .div(mask.sum(0, { keepdims: true }).mul(elements))
    .sqrt();
}
